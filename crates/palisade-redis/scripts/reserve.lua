
-- palisade rate limit, reserve, version 1. Takes all that a request asks for, or nothing.
--
-- ARGV 2: counters, how long the hold lasts in microseconds (0: none), 1 to owe, 1 to change nothing, milliseconds by which
-- a key outlives its use, 1 to let buckets.lua try, which stands before this and has read the time and the keys.
-- Gives 0 for a refusal, 1 for a pass, 2 for a hold that has been settled; the time; and five numbers for each counter.
local holds, hold_index = ttl > 0, with_hold
local hold_key = holds and KEYS[hold_index]

local record = holds and read_hold(kept[hold_index])
if record and record.settled == 1 then
  return {2, now}
end

local function when_free(c, more)
  local used, start = c.used, 0
  local free_at = now
  while true do
    local some = call('ZRANGE', c.key, start, start + 63, 'WITHSCORES')
    if #some == 0 then
      return free_at
    end
    for at = 1, #some, 2 do
      if used + more <= c.amount then
        return free_at
      end
      used = used - (call('HGET', c.hash, some[at]) or 0)
      free_at = some[at + 1] + c.period
    end
    start = start + 64
  end
end

local counters, mores, frees, refused = {}, {}, {}, false
local hash_index = hold_index
for i = 1, count do
  local c = load_counter(i, kept[i], KEYS[hash_index + 1])
  if c.kind > 3 then
    hash_index = hash_index + 1
  end
  local more, taken = c.asked, record and record.of[c.key]
  if taken then
    more = math.max(more - taken.reserved, 0)
  end
  counters[i], mores[i] = c, more
  local passes
  if more > c.amount then
    passes = false
  elseif more == 0 then
    passes = true
  elseif c.kind == 1 then
    local at, rest = plus(c, c.full_at, c.rest, span(c, more))
    passes = not above(at, rest, c.empty, c.empty_rest)
  elseif c.kind == 2 then
    passes = c.owed == 0 and more <= c.amount - c.used
  elseif c.kind == 3 then
    local room = c.amount - more - c.used
    passes = c.owed == 0 and room >= 0
    if passes and c.previous > room then
      local elapsed = math.min(math.max(now - c.index * c.period, 0), c.period)
      passes = product_fits(c.period, c.previous - room, elapsed, c.previous)
    end
  else
    passes = more <= c.amount - c.used
    if not passes then
      frees[i] = when_free(c, more)
    end
  end
  if not passes then
    refused = true
  end
end
if owe == 1 then
  refused = false
end

if not refused and dry == 0 then
  local hold_until = now + ttl
  if holds and not record then
    record = {settled = 0, of = {}}
  end
  for i = 1, count do
    local c, more = counters[i], mores[i]
    if more > 0 or (holds and c.kind == 5) then
      local mark, rest, life = take(c, more, holds and ARGV[3], hold_until)
      keep(c)
      if holds then
        local taken = record.of[c.key]
        if not taken then
          taken = {key = c.key, reserved = 0, last = 0, mark = mark, mark_rest = rest, life = life}
          record[#record + 1] = taken
        end
        if more > 0 then
          taken.reserved = math.min(taken.reserved + more, EXACT)
          taken.last, taken.mark, taken.mark_rest, taken.life = more, mark, rest, life
        end
      end
    end
  end
  if holds then
    record.until_ = hold_until
    write_hold(hold_key, record)
  end
end

local answer = {refused and 0 or 1, now}
for i = 1, count do
  tell(answer, counters[i], mores[i], frees[i])
end
return answer
