-- What every script starts with. KEYS[1] names the ledger; all its keys begin with it and so share one cluster slot.
-- ARGV[1] is the time, or empty for the server's own.
local ledger = KEYS[1]

local function key(...)
  return table.concat({ledger, ...}, ':')
end

local function now() -- never goes back, whatever the server's clock does
  local wall = tonumber(ARGV[1])
  if not wall then
    local time = redis.call('TIME')
    wall = time[1] + time[2] / 1000000
  end
  return math.max(wall, tonumber(redis.call('HGET', key('meta'), 'now') or 0))
end

local function text(seconds)
  return string.format('%.6f', seconds)
end

local function write(time)
  redis.call('HSET', key('meta'), 'now', text(time), 'written', text(time))
end

-- A record is {name, data, due, group, since}: group is empty unless it is open, due is empty for never.
local function put(record, old_group, time)
  local name, data, due, group, since = unpack(record)
  redis.call('HINCRBY', key('record', name), 'version', 1)
  redis.call('HSET', key('record', name), 'data', data, 'open', group == '' and '0' or '1')
  redis.call('ZADD', key('touched'), text(time), name)
  if due == '' then
    redis.call('ZREM', key('due'), name)
  else
    redis.call('ZADD', key('due'), due, name)
  end
  if old_group ~= '' and old_group ~= group then
    redis.call('ZREM', key('open', old_group), name)
  end
  if group ~= '' then
    redis.call('SADD', key('groups'), group)
    redis.call('ZADD', key('open', group), since, name)
  end
end

local function count(counts, time)
  for _, each in ipairs(counts) do
    local name, amount, trace, observed = unpack(each)
    redis.call('HINCRBYFLOAT', key('totals'), name, amount)
    redis.call('HSETNX', key('born'), name, text(time))
    if trace ~= '' then
      redis.call('HSET', key('traces'), name, cjson.encode({trace, observed, text(time)}))
    end
  end
end
