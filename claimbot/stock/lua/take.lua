-- Decides which free units are set aside for the waitlist, kept under a name of their own until assigned.
-- KEYS[1] free: sorted set, members variant_id:unit_no        e.g. cb1:{d:drp_1}:free
-- KEYS[2] given: hash, follower_key to packed proposal        e.g. cb1:{d:drp_1}:given
-- KEYS[3] meta: hash of epoch, line and token                 e.g. cb1:{d:drp_1}:meta
-- ARGV[1] now_ms: epoch milliseconds, empty = server's clock  e.g. 1763784000000
-- ARGV[2] variant_id: of what                                 e.g. var_1
-- ARGV[3] most: units, at least 1                             e.g. 5
-- REPLY not_ready: the drop is not loaded here
-- REPLY none: epoch; nothing is free
-- REPLY taken: epoch, the name they are kept under, then the unit numbers
local free, given, meta = KEYS[1], KEYS[2], KEYS[3]
local now_ms, variant_id, most = ARGV[1], ARGV[2], ARGV[3]

local stored = redis.call('HMGET', meta, 'epoch', 'line')
local epoch = stored[1]
if not epoch then
  return {'not_ready'}
end
local first, last = '[' .. variant_id .. ':', '(' .. variant_id .. ';'
local found = redis.call('ZRANGEBYLEX', free, first, last, 'LIMIT', 0, most)
if #found == 0 then
  return {'none', tonumber(epoch)}
end

local now = tonumber(now_ms)
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local line = string.format('%.0f', math.max(tonumber(stored[2] or 0) + 1, now * 1000))
local kept_under = '~promote:' .. line
local reply, units = {'taken', tonumber(epoch), kept_under}, {}
for _, member in ipairs(found) do
  local unit = tonumber(string.sub(member, #variant_id + 2))
  reply[#reply + 1] = unit
  units[#units + 1] = string.format('%.0f', unit)
end

redis.call('ZREM', free, unpack(found))
local head = variant_id .. '|' .. line .. '|' .. string.format('%.0f', now) .. '|'
redis.call('HSET', given, kept_under, head .. table.concat(units, ','))
redis.call('HSET', meta, 'line', line)
return reply
