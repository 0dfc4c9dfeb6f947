-- ARGV[2]: a version. ARGV[3]: since when that was. Returns since when members are known, the version, and, where one of both is another one, all entries.
local since, version = text(number('since')), text(number('version'))
local said = { since, version }
if version ~= ARGV[2] or since ~= ARGV[3] then
  for _, entry in ipairs(redis.call('HVALS', entries)) do
    said[#said + 1] = entry
  end
end
return said
