-- palisade rate limit, buckets, version 1. The beginning of reserve.lua: what most requests are, without a detour.
--
-- Token buckets alone, of which something is asked that they could hold, without debts, under no hold or a new one. Whatever
-- else it meets it leaves to the rest of the script, before it has written anything. For what is asked and given see there;
-- here each counter's argument begins with five numbers of its own: microseconds a burst takes, their rest, microseconds
-- the cost takes, their rest, how many rests are a microsecond; and then comes the cost. It gives 10 for a refusal and 11 for
-- a pass, and two numbers for each counter: when it is full again, and the rest.
local call, pack, unpack_of, ceil = redis.call, struct.pack, struct.unpack, math.ceil
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
local count, ttl, owe, dry, slack, simple = unpack_of('>dddddd', ARGV[2])
local with_hold = count
if ttl > 0 then
  with_hold = count + 1
end
local kept = call('MGET', unpack(KEYS, 1, with_hold))

if simple == 1 and not (ttl > 0 and kept[with_hold]) then
  -- Made at their full size at once: a table that grows is copied again and again.
  local code, ends, values, records = 11, {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}, ''
  local answer = {11, now}
  local before = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
  for i = 1, count do
    local fill, fill_rest, span, span_rest, per_micro, cost = unpack_of('>dddddd', ARGV[3 + i])
    local full_at, rest, refunds, refunds_rest, life = now, 0, 0, 0, 0
    local empty = now + fill
    local value = kept[i]
    if value then
      local point, point_rest = value, 0
      if #value == 48 then
        local indebted
        point, point_rest, indebted, refunds, refunds_rest, life = unpack_of('>dddddd', value)
        if indebted ~= 0 or point_rest >= per_micro or refunds_rest >= per_micro then
          code = nil
          break
        end
      else
        point = tonumber(value)
      end
      if point > empty or (point == empty and point_rest > fill_rest) then
        full_at, rest = empty, fill_rest
      elseif point >= now then
        full_at, rest = point, point_rest
      end
    end
    before[2 * i - 1], before[2 * i] = full_at, rest
    full_at, rest = full_at + span, rest + span_rest
    if rest >= per_micro then
      full_at, rest = full_at + 1, rest - per_micro
    end
    if full_at > empty or (full_at == empty and rest > fill_rest) then
      code = 10
    end
    ends[i] = full_at
    answer[2 * i + 1], answer[2 * i + 2] = full_at, rest
    if ttl > 0 then
      if life == 0 then
        life = now + 1
      end
      local mark, mark_rest = full_at + refunds, rest + refunds_rest
      if mark_rest >= per_micro then
        mark, mark_rest = mark + 1, mark_rest - per_micro
      end
      records = records .. pack('>ddddds', cost, cost, mark, mark_rest, life, KEYS[i])
    end
    if rest == 0 and life == 0 then
      values[i] = full_at
    else
      values[i] = pack('>dddddd', full_at, rest, 0, refunds, refunds_rest, life)
    end
  end
  if code == 10 then
    answer = {10, now}
    for i = 1, 2 * count do
      answer[i + 2] = before[i]
    end
    return answer
  elseif code then
    for i = 1, count do
      call('SET', KEYS[i], values[i], 'PX', ceil((ends[i] + 1 - now) / 1000) + slack)
    end
    if ttl > 0 then
      call('SET', KEYS[with_hold], pack('>dd', now + ttl, 0) .. records, 'PX', ceil(ttl / 1000) + slack)
    end
    return answer
  end
end

