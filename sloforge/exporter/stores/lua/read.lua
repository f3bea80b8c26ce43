-- Return the time, and version and data of the record named ARGV[2].
local found = redis.call('HMGET', key('record', ARGV[2]), 'version', 'data')
return {text(now()), found[1] or '0', found[2] or ''}
