
-- palisade rate limit, reset, version 1. Forgets what one key has used of one limit.
--
-- ARGV 2: 0, 0, 0, 0, milliseconds by which a key outlives its use.
local kept = call('MGET', KEYS[1])
local c = load_counter(1, kept[1], KEYS[2])
if c.kind > 3 then
  call('DEL', c.key, c.hash)
elseif c.kind == 1 and c.life ~= 0 then
  -- All that was owed counts as given back, so that a hold from before finds nothing left of its own.
  local owed, owed_rest = minus(c, c.full_at, c.rest, now, 0)
  c.refunds, c.refunds_rest = plus(c, c.refunds, c.refunds_rest, owed, owed_rest)
  local millis = lifetime(c.full_at + 1)
  call('SET', c.key, pack('>dddddd', now, 0, 0, c.refunds, c.refunds_rest, c.life), 'PX', millis)
else
  call('DEL', c.key)
end
return {1, now}
