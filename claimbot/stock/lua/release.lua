-- Decides whether units go back to the free ones, for each follower who gives some up.
-- KEYS[1] free: sorted set, members variant_id:unit_no        e.g. cb1:{d:drp_1}:free
-- KEYS[2] given: hash, follower_key to packed proposal        e.g. cb1:{d:drp_1}:given
-- KEYS[3] meta: hash of epoch, line and token                 e.g. cb1:{d:drp_1}:meta
-- ARGV[1] epoch: the epoch under which they were proposed     e.g. 3
-- ARGV[+1] follower_key: who gives them up                    e.g. acc_1/17840001
-- ARGV[+2] variant_id: of what                                e.g. var_1
-- ARGV[+3] units: unit numbers, comma between                 e.g. 17,18
-- REPLY stale: the gate has another epoch (or none); nothing changed
-- REPLY applied: then one word for each follower:
-- REPLY released: the units are free again
-- REPLY unknown: the follower does not hold all of them; nothing changed for this one
local free, given, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch = ARGV[1]

if redis.call('HGET', meta, 'epoch') ~= epoch then
  return {'stale'}
end

local function give_back(follower_key, variant_id, units)
  local entry = redis.call('HGET', given, follower_key)
  local head, owner, held = string.match(entry or '', '^(([^|]*)|%d+|%d+|)(.*)$')
  if owner ~= variant_id then
    return 'unknown'
  end
  local kept = ',' .. held .. ','
  for unit in string.gmatch(units, '%d+') do
    local count
    kept, count = string.gsub(kept, ',' .. unit .. ',', ',', 1)
    if count == 0 then
      return 'unknown'
    end
  end
  for unit in string.gmatch(units, '%d+') do
    redis.call('ZADD', free, 0, string.format('%s:%08.0f', variant_id, tonumber(unit)))
  end
  kept = string.sub(kept, 2, -2)
  if kept == '' then
    redis.call('HDEL', given, follower_key)
  else
    redis.call('HSET', given, follower_key, head .. kept)
  end
  return 'released'
end

local reply = {'applied'}
for i = 2, #ARGV, 3 do
  local follower_key, variant_id, units = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  reply[#reply + 1] = give_back(follower_key, variant_id, units)
end
return reply
