
-- palisade rate limit, reserve, version 1. Takes all that a request asks for, or nothing.
--
-- ARGV 2: counters, how long the hold lasts in microseconds (0: none), 1 to owe, 1 to change nothing, milliseconds by which
-- a key outlives its use.
-- Gives 0 for a refusal, 1 for a pass, 2 for a hold that has been settled; the time; and five numbers for each counter.
local count, ttl, owe, dry
count, ttl, owe, dry, slack = unpack_of('>ddddd', ARGV[2])
local holds = ttl > 0
local hold_key, hold_index = nil, count
if holds then
  hold_index = count + 1
  hold_key = KEYS[hold_index]
end
local kept = call('MGET', unpack(KEYS, 1, hold_index))

-- The record: when it ends, whether it was settled, and six values for each counter it has taken from.
local record
if holds and kept[hold_index] then
  record = cmsgpack.unpack(kept[hold_index])
  if record[1] <= now then
    record = nil
  elseif record[2] == 1 then
    return {2, now}
  end
end

local function place_of(key)
  if record then
    for place = 3, #record, 6 do
      if record[place] == key then
        return place
      end
    end
  end
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

local counters, mores, places, frees, refused = {}, {}, {}, {}, false
local hash_index = hold_index
for i = 1, count do
  local c = load_counter(i, kept[i], KEYS[hash_index + 1])
  if c.kind > 3 then
    hash_index = hash_index + 1
  end
  local more, place = c.asked, place_of(c.key)
  if place then
    more = math.max(more - record[place + 1], 0)
  end
  counters[i], mores[i], places[i] = c, more, place
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
    record = {hold_until, 0}
  end
  for i = 1, count do
    local c, more = counters[i], mores[i]
    if more > 0 or (holds and c.kind == 5) then
      local mark, rest, life = take(c, more, holds and ARGV[3], hold_until)
      keep(c)
      if holds then
        local place = places[i]
        if not place then
          place = #record + 1
          record[place], record[place + 1] = c.key, 0
        end
        if more > 0 or not places[i] then
          record[place + 1] = math.min(record[place + 1] + more, EXACT)
          record[place + 2], record[place + 3], record[place + 4], record[place + 5] = more, mark, rest, life
        end
      end
    end
  end
  if holds then
    record[1] = hold_until
    call('SET', hold_key, cmsgpack.pack(record), 'PX', lifetime(hold_until))
  end
end

local answer = {refused and 0 or 1, now}
for i = 1, count do
  tell(answer, counters[i], mores[i], frees[i])
end
return answer
