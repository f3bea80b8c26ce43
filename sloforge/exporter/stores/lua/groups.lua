-- Return for each group of open records: its name, how many, and since when the oldest. Forget empty ones.
local answer = {}
for _, group in ipairs(redis.call('SMEMBERS', key('groups'))) do
  local oldest = redis.call('ZRANGE', key('open', group), 0, 0, 'WITHSCORES')
  if oldest[2] then
    table.insert(answer, {group, redis.call('ZCARD', key('open', group)), oldest[2]})
  else
    redis.call('SREM', key('groups'), group)
  end
end
return answer
