-- Decides whether freshly loaded keys become the gate of a drop.
-- KEYS[1] free: sorted set, members variant_id:unit_no        e.g. cb1:{d:drp_1}:free
-- KEYS[2] given: hash, follower_key to packed proposal        e.g. cb1:{d:drp_1}:given
-- KEYS[3] meta: hash of epoch, line and token                 e.g. cb1:{d:drp_1}:meta
-- KEYS[4] next_free: what free shall be                       e.g. cb1:{d:drp_1}:next:9f2c:free
-- KEYS[5] next_given: what given shall be                     e.g. cb1:{d:drp_1}:next:9f2c:given
-- ARGV[1] epoch: the new epoch                                e.g. 4
-- ARGV[2] line: last line number that SQL knows               e.g. 1763784000000001
-- ARGV[3] free_count: members that next_free must have        e.g. 48
-- ARGV[4] given_count: fields that next_given must have       e.g. 2
-- ARGV[5] token: names this load, so that a repeat is seen    e.g. 9f2c
-- REPLY stale: the gate has a later epoch; nothing changed
-- REPLY torn: the loaded keys are not complete (a wipe came between); nothing changed
-- REPLY swapped: the loaded keys are the gate
local free, given, meta, next_free, next_given = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local epoch, line, free_count, given_count, token = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local stored = redis.call('HMGET', meta, 'epoch', 'line', 'token')
if stored[3] == token then
  return {'swapped'}
end
if stored[1] and tonumber(stored[1]) > tonumber(epoch) then
  return {'stale'}
end
if redis.call('ZCARD', next_free) ~= tonumber(free_count) then
  return {'torn'}
end
if redis.call('HLEN', next_given) ~= tonumber(given_count) then
  return {'torn'}
end

redis.call('UNLINK', free, given)
if tonumber(free_count) > 0 then
  redis.call('RENAME', next_free, free)
  redis.call('PERSIST', free)
end
if tonumber(given_count) > 0 then
  redis.call('RENAME', next_given, given)
  redis.call('PERSIST', given)
end
-- Never a smaller line number than one this gate has already handed out.
local last = math.max(tonumber(line), tonumber(stored[2] or 0))
redis.call('HSET', meta, 'epoch', epoch, 'line', string.format('%.0f', last), 'token', token)
return {'swapped'}
