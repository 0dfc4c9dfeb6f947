-- The members of a group, by the server's clock in microseconds. What follows is one of the scripts beside this file.
--
-- KEYS: state, a hash of numbers; entries, a hash from name to "generation line"; leases, a sorted set of names by when their leases end.
-- ARGV[1]: the length of a lease.
local state, entries, leases = KEYS[1], KEYS[2], KEYS[3]
local lease = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1e6 + tonumber(time[2])

for key, kind in pairs({ [state] = 'hash', [entries] = 'hash', [leases] = 'zset' }) do
  -- What is none of ours makes room.
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    redis.call('DEL', key)
  end
end

local function text(number)
  return string.format('%.0f', number)
end

local function number(field)
  return tonumber(redis.call('HGET', state, field) or '') or 0
end

-- Later ones are greater, also where the server has forgotten the one before: its clock has not.
local function next_number(field)
  local next_one = math.max(number(field) + 1, now)
  redis.call('HSET', state, field, text(next_one))
  return next_one
end

local function generation_of(name)
  local entry = redis.call('HGET', entries, name)
  return entry and string.match(entry, '^(%d+) ')
end

local seen = number('seen')
if seen == 0 then
  -- Nothing is known of a time before this one.
  next_number('since')
elseif math.abs(now - seen) > lease / 2 then
  -- The server was away, or its clock was set: nobody could renew a lease in that time, so all have a whole one from now on.
  for _, name in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
    redis.call('ZADD', leases, text(now + lease), name)
  end
end
redis.call('HSET', state, 'seen', text(now))

local ended = redis.call('ZRANGEBYSCORE', leases, '-inf', text(now))
for _, name in ipairs(ended) do
  redis.call('HDEL', entries, name)
  redis.call('ZREM', leases, name)
end
if #ended > 0 then
  next_number('version')
end

-- A group that nobody asks for any more is forgotten after a day, or ten leases.
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, text(math.max(86400000, lease / 100)))
end
