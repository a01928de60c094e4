-- palisade rate limit, the time, version 1. The beginning of settle.lua and reset.lua.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local count, ttl, _, _, slack = struct.unpack('>ddddd', ARGV[2])

