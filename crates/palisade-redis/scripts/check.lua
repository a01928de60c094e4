-- palisade rate limit, check, version 1.
--
-- One charge to one token bucket whose unit takes whole microseconds, without a hold: what most checks are. Everything
-- else is reserve.lua's. A key keeps one number, the microsecond at which its bucket is full again; see reserve.lua for the
-- longer form, which keys have on which there were holds or debts.
--
-- KEYS  1 the counter
-- ARGV  1 the time in microseconds, or nothing for the server's own
--       2 what the cost takes to come back, in microseconds
--       3 what a whole burst takes
--       4 milliseconds by which a key outlives its use
-- Gives when the bucket is full again (negative: refused) and the time. Nothing at all: ask reserve.lua.
local kept = redis.call('GET', KEYS[1])
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local full_at, empty = now, now + ARGV[3]
local refunds, refunds_rest, life
if kept then
  local point
  if #kept == 48 then
    local rest, indebted
    point, rest, indebted, refunds, refunds_rest, life = struct.unpack('>dddddd', kept)
    if rest ~= 0 or indebted ~= 0 then
      return false
    end
  else
    point = tonumber(kept)
  end
  if point > empty then
    full_at = empty
  elseif point > now then
    full_at = point
  end
end
local charged = full_at + ARGV[2]
if charged > empty then
  return {-full_at, now}
end
local value = charged
if life then
  value = struct.pack('>dddddd', charged, 0, 0, refunds, refunds_rest, life)
end
redis.call('SET', KEYS[1], value, 'PX', math.ceil((charged - now) / 1000) + ARGV[4])
return {charged, now}
