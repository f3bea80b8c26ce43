-- Take the lease ARGV[2] back from ARGV[3], if it has it.
if redis.call('HGET', key('lease', ARGV[2]), 'owner') == ARGV[3] then
  redis.call('DEL', key('lease', ARGV[2]))
  write(now())
end
return 'OK'
