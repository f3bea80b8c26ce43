-- Forget closed records untouched since ARGV[2]; the first ARGV[3] were kept before. Return how many went and stayed.
local old = redis.call('ZRANGEBYSCORE', key('touched'), '-inf', '(' .. ARGV[2], 'LIMIT', ARGV[3], 500)
local gone, kept = 0, 0
for _, name in ipairs(old) do
  if redis.call('HGET', key('record', name), 'open') == '1' or redis.call('ZSCORE', key('due'), name) then
    kept = kept + 1
  else
    redis.call('DEL', key('record', name))
    redis.call('ZREM', key('touched'), name)
    gone = gone + 1
  end
end
write(now())
return {gone, kept}
