-- ARGV[2]: a name. ARGV[3]: its generation. Returns 1 where the lease is renewed, and 0 where that registration is gone.
local name = ARGV[2]
if generation_of(name) ~= ARGV[3] then
  return 0
end
redis.call('ZADD', leases, text(now + lease), name)
return 1
