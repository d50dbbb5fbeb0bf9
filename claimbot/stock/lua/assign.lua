-- Decides whether units move straight to the next follower of the waitlist.
-- KEYS[1] free: sorted set, members variant_id:unit_no        e.g. cb1:{d:drp_1}:free
-- KEYS[2] given: hash, follower_key to packed proposal        e.g. cb1:{d:drp_1}:given
-- KEYS[3] meta: hash of epoch, line and token                 e.g. cb1:{d:drp_1}:meta
-- ARGV[1] epoch: the epoch the caller believes in             e.g. 3
-- ARGV[2] follower_key: who gets them                         e.g. acc_1/17840002
-- ARGV[3] variant_id: of what                                 e.g. var_1
-- ARGV[4] units: unit numbers, comma between                  e.g. 17,18
-- ARGV[5] line: the follower's place in line                  e.g. 1763784000000001
-- ARGV[6] from_key: whose units they were, empty = nobody's   e.g. ~promote:1763784000000009
-- REPLY stale: the gate has another epoch (or none); nothing changed
-- REPLY already: the follower has other units; nothing changed
-- REPLY taken: somebody else has one of the units; nothing changed
-- REPLY assigned: the units are this follower's
local free, given, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch, follower_key, variant_id = ARGV[1], ARGV[2], ARGV[3]
local units, line, from_key = ARGV[4], ARGV[5], ARGV[6]

if redis.call('HGET', meta, 'epoch') ~= epoch then
  return {'stale'}
end
local shape = '^(([^|]*)|%d+|(%d+)|)(.*)$'
local own = redis.call('HGET', given, follower_key)
if own then
  local _, own_variant, _, own_units = string.match(own, shape)
  return {own_variant == variant_id and own_units == units and 'assigned' or 'already'}
end

local source = from_key ~= '' and redis.call('HGET', given, from_key) or ''
local head, source_variant, _, held = string.match(source, shape)
local kept = source_variant == variant_id and ',' .. held .. ',' or ','
local strangers, freed = {}, {}
for unit in string.gmatch(units, '%d+') do
  local count
  kept, count = string.gsub(kept, ',' .. unit .. ',', ',', 1)
  local member = string.format('%s:%08.0f', variant_id, tonumber(unit))
  if count == 0 and redis.call('ZSCORE', free, member) then
    freed[#freed + 1] = member
  elseif count == 0 then
    strangers[#strangers + 1] = unit
  end
end

-- Rare: a unit that was sold and came back is nobody's here, and only a look at every entry shows it.
if #strangers > 0 then
  for _, entry in ipairs(redis.call('HVALS', given)) do
    local _, other_variant, _, other_units = string.match(entry, shape)
    local others = ',' .. other_units .. ','
    for _, unit in ipairs(strangers) do
      if other_variant == variant_id and string.find(others, ',' .. unit .. ',', 1, true) then
        return {'taken'}
      end
    end
  end
end

if #freed > 0 then
  redis.call('ZREM', free, unpack(freed))
end
kept = string.sub(kept, 2, -2)
if head and source_variant == variant_id and kept == '' then
  redis.call('HDEL', given, from_key)
elseif head and source_variant == variant_id and kept ~= held then
  redis.call('HSET', given, from_key, head .. kept)
end
local time = redis.call('TIME')
local at_ms = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', given, follower_key, variant_id .. '|' .. line .. '|' .. at_ms .. '|' .. units)
return {'assigned'}
