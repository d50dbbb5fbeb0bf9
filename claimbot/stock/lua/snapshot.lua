-- Shows one drop's gate at one moment; changes nothing.
-- KEYS[1] free: sorted set, members variant_id:unit_no        e.g. cb1:{d:drp_1}:free
-- KEYS[2] given: hash, follower_key to packed proposal        e.g. cb1:{d:drp_1}:given
-- KEYS[3] meta: hash of epoch, line and token                 e.g. cb1:{d:drp_1}:meta
-- REPLY absent: the drop is not loaded here
-- REPLY present: epoch, line, the members of free, then given as field, value, field, value
local free, given, meta = KEYS[1], KEYS[2], KEYS[3]

local stored = redis.call('HMGET', meta, 'epoch', 'line')
if not stored[1] then
  return {'absent'}
end
local members = redis.call('ZRANGE', free, 0, -1)
return {'present', tonumber(stored[1]), tonumber(stored[2] or 0), members, redis.call('HGETALL', given)}
