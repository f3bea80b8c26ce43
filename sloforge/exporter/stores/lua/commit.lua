-- Write a change whole, if the record is still what it was decided on.
-- ARGV: time, record's name, its version then, lane and number of this commit, mark, the change in JSON.
-- A lane is one thread of one process; its last number tells whether a commit whose answer was lost has been made.
local name, version, lane, number, mark = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local change = cjson.decode(ARGV[7])
local time = now()

if redis.call('GET', key('lane', lane)) == number then
  return {'done'}
end
if mark ~= '' and redis.call('EXISTS', key('record', mark)) == 1 then
  return {'marked'}
end
local found = redis.call('HMGET', key('record', name), 'version', 'data')
if (found[1] or '0') ~= version then
  return {'moved', text(time), found[1] or '0', found[2] or ''}
end

if change.record[1] then
  put(change.record, change.old_group, time)
end
for _, seed in ipairs(change.seeds) do
  if redis.call('EXISTS', key('record', seed[1])) == 0 then
    put(seed, '', time)
  end
end
if mark ~= '' then
  put({mark, change.mark, '', '', ''}, '', time)
end
count(change.counts, time)
write(time)
redis.call('SET', key('lane', lane), number, 'EX', 604800)
return {'done'}
