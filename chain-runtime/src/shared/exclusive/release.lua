-- KEYS[1]: who holds it. ARGV: milliseconds of a lease, a token. Returns 1 where the holder of this token has let it go.
if redis.pcall('GET', KEYS[1]) == ARGV[2] then
  return redis.call('DEL', KEYS[1])
end
return 0
