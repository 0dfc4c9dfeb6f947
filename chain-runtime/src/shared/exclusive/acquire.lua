-- KEYS: who holds it, the last token. ARGV[1]: milliseconds of a lease. Returns a token, or 0 where somebody holds it.
--
-- What does not expire is none of ours, and is overwritten.
if redis.call('PTTL', KEYS[1]) >= 0 then
  return 0
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1e6 + tonumber(time[2])
local last = redis.pcall('GET', KEYS[2])
last = type(last) == 'string' and tonumber(last) or 0
-- Greater than any before, also where the server has forgotten the last one: its clock has not.
local token = string.format('%.0f', math.max(last + 1, now))
redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
redis.call('SET', KEYS[2], token, 'PX', string.format('%.0f', math.max(86400000, 10 * tonumber(ARGV[1]))))
return tonumber(token)
