
-- palisade rate limit, settle, version 1. Ends a hold: what was used stands for what was reserved.
--
-- What is asked of each counter is what was used; what was reserved is what the caller remembers.
-- ARGV 2: counters, how long a settlement is remembered that nobody had reserved for, 0, 0, milliseconds by which a key
-- outlives its use.
-- Gives 0 for a hold settled now, 1 for one settled earlier, 2 for one unknown or expired; the time; and five numbers for
-- each counter.
local kept = call('MGET', unpack(KEYS, 1, count + 1))
local record, outcome = read_hold(kept[count + 1]), 2
if record then
  outcome = record.settled
end

-- Gives back to a bucket what time has not given back already.
local function refund(c, units, mark, mark_rest, life)
  if c.life ~= life then
    -- The key was full since, and forgotten: nothing is left of that charge.
    return
  end
  local left, left_rest = minus(c, mark, math.min(mark_rest, c.per_micro - 1), c.refunds, c.refunds_rest)
  left, left_rest = minus(c, left, left_rest, now, 0)
  if left < 0 then
    left, left_rest = 0, 0
  end
  local back, back_rest = span(c, units)
  if above(back, back_rest, left, left_rest) then
    back, back_rest = left, left_rest
  end
  local owed, owed_rest = minus(c, c.full_at, c.rest, now, 0)
  if above(back, back_rest, owed, owed_rest) then
    back, back_rest = owed, owed_rest
  end
  c.full_at, c.rest = minus(c, c.full_at, c.rest, back, back_rest)
  c.refunds, c.refunds_rest = plus(c, c.refunds, c.refunds_rest, back, back_rest)
  c.indebted = above(c.full_at, c.rest, c.empty, c.empty_rest) and 1 or 0
end

local answer = {outcome, now}
local hash_index = count + 1
for i = 1, count do
  local c = load_counter(i, kept[i], KEYS[hash_index + 1])
  if c.kind > 3 then
    hash_index = hash_index + 1
  end
  if outcome ~= 1 then
    local taken = record and record.of[c.key]
    local reserved = taken and taken.reserved or c.reserved
    if c.kind == 5 then
      local held = call('HGET', c.hash, ARGV[3])
      if held then
        subtract(c, ARGV[3], tonumber(held))
        keep(c)
      end
    elseif c.asked > reserved then
      take(c, c.asked - reserved)
      keep(c)
    elseif taken then
      local units, mark = math.min(reserved - c.asked, taken.last), taken.mark
      if c.kind == 1 then
        if kept[i] then
          refund(c, units, mark, taken.mark_rest, taken.life)
          keep(c)
        end
      elseif c.kind == 4 then
        local member = string.format('%.0f', mark)
        local there = tonumber(call('HGET', c.hash, member) or 0)
        if there > 0 then
          subtract(c, member, math.min(units, there))
          keep(c)
        end
      elseif mark == c.index then
        local forgiven = math.min(units, c.owed)
        c.owed = c.owed - forgiven
        c.used = math.max(c.used - (units - forgiven), 0)
        keep(c)
      elseif mark + 1 == c.index then
        c.previous = math.max(c.previous - units, 0)
        keep(c)
      end
    end
  end
  tell(answer, c, 0)
end
if outcome ~= 1 then
  write_hold(KEYS[count + 1], {until_ = record and record.until_ or now + ttl, settled = 1})
end
return answer
