-- ARGV[2]: members, at most. ARGV[3]: a name. ARGV[4]: its line. Returns the generation, or 0 where there is no room.
local name = ARGV[3]
if redis.call('HEXISTS', entries, name) == 0 and redis.call('HLEN', entries) >= tonumber(ARGV[2]) then
  return 0
end
local generation = next_number('generation')
redis.call('HSET', entries, name, text(generation) .. ' ' .. ARGV[4])
redis.call('ZADD', leases, text(now + lease), name)
next_number('version')
return generation
