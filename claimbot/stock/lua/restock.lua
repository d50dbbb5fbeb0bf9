-- Decides which units may be sold (again): new ones, and sold ones that came back.
-- KEYS[1] free: sorted set, members variant_id:unit_no        e.g. cb1:{d:drp_1}:free
-- KEYS[2] given: hash, follower_key to packed proposal        e.g. cb1:{d:drp_1}:given
-- KEYS[3] meta: hash of epoch, line and token                 e.g. cb1:{d:drp_1}:meta
-- ARGV[1] epoch: the epoch the caller believes in             e.g. 3
-- ARGV[2] variant_id: of what                                 e.g. var_1
-- ARGV[+1] unit: a unit number                                e.g. 51
-- REPLY stale: the gate has another epoch (or none); nothing changed
-- REPLY restocked: how many became free; a unit that somebody has is left alone
local free, given, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch, variant_id = ARGV[1], ARGV[2]

if redis.call('HGET', meta, 'epoch') ~= epoch then
  return {'stale'}
end
local owned = {}
for _, entry in ipairs(redis.call('HVALS', given)) do
  local owner, units = string.match(entry, '^([^|]*)|%d+|%d+|(.*)$')
  for unit in string.gmatch(owner == variant_id and units or '', '%d+') do
    owned[unit] = true
  end
end

local count = 0
for i = 3, #ARGV, 1 do
  local unit = ARGV[i]
  if not owned[unit] then
    count = count + redis.call('ZADD', free, 0, string.format('%s:%08.0f', variant_id, tonumber(unit)))
  end
end
return {'restocked', count}
