-- ARGV[2]: a name. ARGV[3]: its generation. Returns 1 where it is removed, and 0 where that registration was gone.
local name = ARGV[2]
if generation_of(name) ~= ARGV[3] then
  return 0
end
redis.call('HDEL', entries, name)
redis.call('ZREM', leases, name)
next_number('version')
return 1
