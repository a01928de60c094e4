-- palisade rate limit, counters, version 1. What reserve.lua, settle.lua and reset.lua have in common; it stands before each.
--
-- The decisions are those of the crate palisade-rate-limit, in its module `model`. Numbers here are doubles: whole numbers are
-- exact up to 2^53, so times are whole microseconds with a rest beside them, and nothing that could exceed 2^53 is multiplied
-- without a look at what comes out.
--
-- A counter is {kind, key, more, …}. By kind:
--   1 token bucket    a string: a number, or six packed (full at, rest, indebted, refunds, their rest, life)
--   2 fixed window    a string: four packed (index, used, previous, owed)
--   3 sliding window  the same
--   4 sliding log     a sorted set of times, and beside it a hash of what was taken at each, with their sum under `n`
--   5 concurrency     a sorted set of holds by their end, and beside it a hash of what each holds, with their sum under `n`
--
-- ARGV  1 the time in microseconds, or nothing for the server's own
--       2 how many counters, and further numbers, packed; see each script
--       3 the id of the hold
--       4… one for each counter: twelve packed numbers. Five are for buckets.lua. The others: what is asked, kind, amount or
--          burst, and of a bucket: microseconds a unit takes, their rest; of others: period, 0; and what was reserved
-- The hold is a string: when it ends and whether it was settled, packed, and then for each counter it has taken from: how much
-- in all, how much by the last charge, where that went (two numbers and a life), and the key.
-- KEYS  the counters, then the hold, then for each counter of kind 4 or 5 its hash

local call, pack, unpack_of, fmod, ceil = redis.call, struct.pack, struct.unpack, math.fmod, math.ceil
local EXACT = 9007199254740992
-- The head of every script that stands here reads the time and by how many milliseconds a key outlives its use.
-- Expiry in milliseconds, always at least one; no key outlives three centuries.
local function lifetime(until_)
  local millis = ceil((until_ - now) / 1000) + slack
  if millis < 1 then
    return 1
  elseif millis > 9000000000000 then
    return 9000000000000
  end
  return millis
end

-- What `units` of a bucket take to come back: microseconds and a rest; at most 2^61 ns.
local function span(c, units)
  local micros, rest = units * c.unit, 0
  if c.unit_rest > 0 then
    rest = units * c.unit_rest
    if rest < EXACT then
      local left = fmod(rest, c.per_micro)
      micros, rest = micros + (rest - left) / c.per_micro, left
    else
      -- Bit by bit: a product beyond 2^53 would be rounded.
      local whole, left, bit = 0, 0, EXACT
      while bit >= 1 do
        whole, left = whole * 2, left * 2
        if left >= c.per_micro then
          whole, left = whole + 1, left - c.per_micro
        end
        if units >= bit then
          units, left = units - bit, left + c.unit_rest
          if left >= c.per_micro then
            whole, left = whole + 1, left - c.per_micro
          end
        end
        bit = bit / 2
      end
      micros, rest = micros + whole, left
    end
  end
  local rest_max = 952 * c.per_micro / 1000
  if micros > 2305843009213693 or (micros == 2305843009213693 and rest >= rest_max) then
    return 2305843009213693, rest_max
  end
  return micros, rest
end

local function plus(c, micros, rest, more, more_rest)
  micros, rest = micros + more, rest + more_rest
  if rest >= c.per_micro then
    return micros + 1, rest - c.per_micro
  end
  return micros, rest
end

local function minus(c, micros, rest, less, less_rest)
  micros, rest = micros - less, rest - less_rest
  if rest < 0 then
    return micros - 1, rest + c.per_micro
  end
  return micros, rest
end

local function above(micros, rest, than, than_rest)
  return micros > than or (micros == than and rest > than_rest)
end

-- a * b <= c * d, exactly; a and c below 2^45, b and d at most 2^53.
local function product_fits(a, b, c, d)
  local x, y = a * b, c * d
  if x < EXACT and y < EXACT then
    return x <= y
  end
  local BASE = 67108864
  local function digits(m, n)
    local m1, n1 = math.floor(m / BASE), math.floor(n / BASE)
    local m0, n0 = m - m1 * BASE, n - n1 * BASE
    local low, cross, other = m0 * n0, m0 * n1, m1 * n0
    local low_up, cross_up, other_up = math.floor(low / BASE), math.floor(cross / BASE), math.floor(other / BASE)
    local middle = low_up + (cross - cross_up * BASE) + (other - other_up * BASE)
    local middle_up = math.floor(middle / BASE)
    return m1 * n1 + cross_up + other_up + middle_up, middle - middle_up * BASE, low - low_up * BASE
  end
  local x2, x1, x0 = digits(a, b)
  local y2, y1, y0 = digits(c, d)
  if x2 ~= y2 then
    return x2 < y2
  elseif x1 ~= y1 then
    return x1 < y1
  end
  return x0 <= y0
end

-- Reads a hold: nothing if it is over. What it has taken is a list, and found by key as well.
local function read_hold(kept)
  if not kept then
    return nil
  end
  local until_, settled, at = unpack_of('>dd', kept)
  if until_ <= now then
    return nil
  end
  local hold, size = {until_ = until_, settled = settled, of = {}}, #kept
  while at <= size do
    local t = {}
    t.reserved, t.last, t.mark, t.mark_rest, t.life, t.key, at = unpack_of('>ddddds', kept, at)
    hold[#hold + 1] = t
    hold.of[t.key] = t
  end
  return hold
end

local function write_hold(key, hold)
  local text = pack('>dd', hold.until_, hold.settled)
  for _, t in ipairs(hold) do
    text = text .. pack('>ddddds', t.reserved, t.last, t.mark, t.mark_rest, t.life, t.key)
  end
  call('SET', key, text, 'PX', lifetime(hold.until_))
end

-- Forgets what of a sorted set is over.
local function prune(c, over)
  local gone = call('ZRANGEBYSCORE', c.key, '-inf', over)
  if #gone > 0 then
    local sum = 0
    for _, member in ipairs(gone) do
      sum = sum + (call('HGET', c.hash, member) or 0)
      call('HDEL', c.hash, member)
    end
    call('ZREMRANGEBYSCORE', c.key, '-inf', over)
    c.used = call('HINCRBY', c.hash, 'n', 0 - sum)
  else
    c.used = tonumber(call('HGET', c.hash, 'n') or 0)
  end
  local last = call('ZRANGE', c.key, -1, -1, 'WITHSCORES')
  c.last = tonumber(last[2] or -1)
end

local function add(c, member, score, amount)
  call('HINCRBY', c.hash, member, amount)
  c.used = call('HINCRBY', c.hash, 'n', amount)
  call('ZADD', c.key, score, member)
  if score > c.last then
    c.last = score
  end
end

-- Not `-amount`: a double has a zero below zero, which is no integer to the server.
local function subtract(c, member, amount)
  local left = call('HINCRBY', c.hash, member, 0 - amount)
  c.used = call('HINCRBY', c.hash, 'n', 0 - amount)
  if left <= 0 then
    call('HDEL', c.hash, member)
    call('ZREM', c.key, member)
    c.last = tonumber(call('ZRANGE', c.key, -1, -1, 'WITHSCORES')[2] or -1)
  end
end

-- Writes a counter back, with its end.
local function keep(c)
  if c.kind == 1 then
    local value = c.full_at
    if c.rest ~= 0 or c.indebted ~= 0 or c.life ~= 0 then
      value = pack('>dddddd', c.full_at, c.rest, c.indebted, c.refunds, c.refunds_rest, c.life)
    end
    call('SET', c.key, value, 'PX', lifetime(c.full_at + 1))
  elseif c.kind < 4 then
    local windows = c.index + ceil(c.owed / c.amount) + c.kind - 1
    call('SET', c.key, pack('>dddd', c.index, c.used, c.previous, c.owed), 'PX', lifetime(windows * c.period))
  elseif c.last < 0 then
    call('DEL', c.key, c.hash)
  else
    local millis = lifetime(c.last + c.period)
    call('PEXPIRE', c.key, millis)
    call('PEXPIRE', c.hash, millis)
  end
end

-- Reads a counter as it is now.
local function load_counter(index, kept, hash)
  local e, f, _, _, d, asked, kind, amount, a, b, reserved = unpack_of('>ddddddddddd', ARGV[3 + index])
  local c = {key = KEYS[index], kind = kind, asked = asked, amount = amount, reserved = reserved}
  if c.kind == 1 then
    c.unit, c.unit_rest, c.per_micro = a, b, d
    c.full_at, c.rest, c.indebted, c.refunds, c.refunds_rest, c.life = 0, 0, 0, 0, 0, 0
    if kept then
      if #kept == 48 then
        c.full_at, c.rest, c.indebted, c.refunds, c.refunds_rest, c.life = unpack_of('>dddddd', kept)
        -- A rest kept under another limit may not be one under this.
        c.rest = math.min(c.rest, d - 1)
        c.refunds_rest = math.min(c.refunds_rest, d - 1)
      else
        c.full_at = tonumber(kept)
      end
    end
    c.empty, c.empty_rest = now + e, f
    if c.full_at < now then
      c.full_at, c.rest = now, 0
    elseif c.indebted == 0 then
      if above(c.full_at, c.rest, c.empty, c.empty_rest) then
        c.full_at, c.rest = c.empty, c.empty_rest
      end
    else
      local most = 903 * d / 1000
      if above(c.full_at, c.rest, now + 4611686018427387, most) then
        c.full_at, c.rest = now + 4611686018427387, most
      end
    end
    return c
  end
  c.period = a
  if c.kind == 4 then
    c.hash = hash
    prune(c, now - a)
  elseif c.kind == 5 then
    c.hash = hash
    prune(c, now)
  else
    c.index, c.used, c.previous, c.owed = 0, 0, 0, 0
    if kept then
      c.index, c.used, c.previous, c.owed = unpack_of('>dddd', kept)
    end
    local index_now = (now - fmod(now, a)) / a
    local turns = index_now - c.index
    if turns > 0 then
      local function paid(owed, windows)
        return math.max(owed - c.amount * windows, 0)
      end
      c.previous = c.used
      if turns > 1 then
        c.previous = math.min(paid(c.owed, turns - 2), c.amount)
      end
      c.used = math.min(paid(c.owed, turns - 1), c.amount)
      c.owed = paid(c.owed, turns)
      c.index = index_now
    else
      c.index = math.min(c.index, index_now + 1)
    end
  end
  return c
end

-- Charges, whether or not it passes. What there is no room for is owed. Says where it went: two numbers and a life.
local function take(c, units, hold, hold_until)
  if c.kind == 1 then
    local most = 903 * c.per_micro / 1000
    c.full_at, c.rest = plus(c, c.full_at, c.rest, span(c, units))
    if above(c.full_at, c.rest, now + 4611686018427387, most) then
      c.full_at, c.rest = now + 4611686018427387, most
    end
    c.indebted = above(c.full_at, c.rest, c.empty, c.empty_rest) and 1 or 0
    if hold and c.life == 0 then
      c.life = now + 1
    end
    local until_, until_rest = plus(c, c.full_at, c.rest, c.refunds, c.refunds_rest)
    return until_, until_rest, c.life
  elseif c.kind < 4 then
    local fits = math.min(units, math.max(c.amount - c.used, 0))
    c.used = c.used + fits
    c.owed = math.min(c.owed + (units - fits), EXACT)
    return c.index, 0, 0
  elseif c.kind == 4 then
    local left = units
    local fits = math.min(left, math.max(c.amount - c.used, 0))
    if fits > 0 then
      add(c, string.format('%.0f', now), now, fits)
      left = left - fits
    end
    while left > 0 do
      local last = math.max(c.last, 0)
      local taken = 0
      if c.last >= 0 then
        taken = tonumber(call('HGET', c.hash, string.format('%.0f', last)) or 0)
      end
      if last > now and taken < c.amount then
        fits = math.min(left, c.amount - taken)
        add(c, string.format('%.0f', last), last, fits)
      else
        if math.floor(math.max(last - now, 0) / c.period) >= 64 then
          break
        end
        local at = math.max(last, now) + c.period
        fits = math.min(left, c.amount)
        add(c, string.format('%.0f', at), at, fits)
      end
      left = left - fits
    end
    return now, 0, 0
  end
  if hold then
    local score = call('ZSCORE', c.key, hold)
    if score or units > 0 then
      add(c, hold, hold_until, units)
      c.last = tonumber(call('ZRANGE', c.key, -1, -1, 'WITHSCORES')[2])
    end
  end
  return 0, 0, 0
end

-- What is told of a counter.
local function tell(answer, c, more, free_at)
  local n = #answer
  if c.kind == 1 then
    answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4], answer[n + 5] = more, c.full_at, c.rest, c.indebted, 0
  elseif c.kind < 4 then
    answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4], answer[n + 5] = more, c.index, c.used, c.previous, c.owed
  else
    answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4], answer[n + 5] = more, c.used, c.last, free_at or -1, 0
  end
end
