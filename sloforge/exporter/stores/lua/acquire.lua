-- Give the lease ARGV[2] to ARGV[3] for ARGV[4] seconds, unless another holds it. Return the holder.
local time = now()
local held = redis.call('HMGET', key('lease', ARGV[2]), 'owner', 'until')
if held[1] and held[1] ~= ARGV[3] and tonumber(held[2]) > time then
  return held[1]
end
redis.call('HSET', key('lease', ARGV[2]), 'owner', ARGV[3], 'until', text(time + ARGV[4]))
write(time)
return ARGV[3]
