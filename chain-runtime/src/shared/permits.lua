-- Takes permits from quotas, by the generic cell rate algorithm (GCRA) and the server's clock.
--
-- KEYS: one for each quota. ARGV, three for each: nanoseconds that a permit takes to grow, permits in a full quota, permits wanted.
-- Returns two numbers for each: permits granted, and microseconds until there is one more.
--
-- A key holds when its quota is full again, as "seconds nanoseconds" of the server's clock: two numbers, since a double does not hold both.
-- It expires at that moment, for a key that is not there has a full quota.
local time = redis.call('TIME')
local s, ns = tonumber(time[1]), tonumber(time[2]) * 1000
local out = {}
for i, key in ipairs(KEYS) do
  local step, burst, want = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local full = burst * step
  -- So many nanoseconds of the quota are used.
  local used = 0
  local held = redis.pcall('GET', key)
  -- What is none of ours, of another type too, is overwritten.
  if type(held) == 'string' then
    local at_s, at_ns = string.match(held, '^(%d+) (%d+)$')
    if at_s then
      used = (tonumber(at_s) - s) * 1e9 + (tonumber(at_ns) - ns)
    end
  end
  -- More than all of it is used only where the server's clock was set back. Then all of it is used as of now: what the key says would be so until
  -- the clock is there again, and the key does not expire before that either.
  local is_ahead = used > full
  used = math.max(0, math.min(used, full))
  local granted = math.min(want, math.floor((full - used) / step))
  if granted > 0 or is_ahead then
    used = math.min(full, math.ceil(used + granted * step))
    local at = ns + used
    local value = string.format('%.0f %.0f', s + math.floor(at / 1e9), at % 1e9)
    redis.call('SET', key, value, 'PX', string.format('%.0f', math.max(1, math.ceil(used / 1e6))))
  end
  out[2 * i - 1] = granted
  out[2 * i] = math.ceil(math.max(0, step - (full - used)) / 1000)
end
return out
