-- Decides which units each follower of one drop is proposed, in the order of the asks.
-- KEYS[1] free: sorted set, members variant_id:unit_no        e.g. cb1:{d:drp_1}:free
-- KEYS[2] given: hash, follower_key to packed proposal        e.g. cb1:{d:drp_1}:given
-- KEYS[3] meta: hash of epoch, line and token                 e.g. cb1:{d:drp_1}:meta
-- ARGV[1] now_ms: epoch milliseconds, empty = server's clock  e.g. 1763784000000
-- ARGV[+1] follower_key: who asks                             e.g. acc_1/17840001
-- ARGV[+2] variant_id: of what                                e.g. var_1
-- ARGV[+3] quantity: units, at least 1                        e.g. 2
-- ARGV[+4] partial: 1 = fewer units are welcome, 0 = all or none  e.g. 1
-- REPLY not_ready: the drop is not loaded here
-- REPLY proposed: epoch, then one list (word, line, variant_id, unit ...) for each ask:
-- REPLY held: these units are proposed now
-- REPLY already: these units were proposed before, whatever is asked now
-- REPLY full: nothing was taken; the line number is the place on the waitlist
local free, given, meta = KEYS[1], KEYS[2], KEYS[3]
local now_ms = ARGV[1]

local stored = redis.call('HMGET', meta, 'epoch', 'line')
local epoch, line = stored[1], tonumber(stored[2] or 0)
if not epoch then
  return {'not_ready'}
end
for i = 2, #ARGV, 4 do
  if not (tonumber(ARGV[i + 2] or 0) >= 1) then
    return redis.error_reply('ERR reserve: a quantity is not a positive number')
  end
end

local now = tonumber(now_ms)
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua would write a large number as 1.7e+15.
local function plain(number)
  return string.format('%.0f', number)
end

local function repeated(entry)
  local variant_id, at_line, units = string.match(entry, '^([^|]*)|(%d+)|%d+|(.*)$')
  local answer = {'already', tonumber(at_line), variant_id}
  for unit in string.gmatch(units, '%d+') do
    answer[#answer + 1] = tonumber(unit)
  end
  return answer
end

local function fresh(follower_key, variant_id, quantity, partial)
  line = math.max(line + 1, now * 1000)
  local first, last = '[' .. variant_id .. ':', '(' .. variant_id .. ';'
  local found = redis.call('ZRANGEBYLEX', free, first, last, 'LIMIT', 0, quantity)
  if #found == 0 or (#found < tonumber(quantity) and partial ~= '1') then
    return {'full', line, variant_id}
  end
  local answer, units = {'held', line, variant_id}, {}
  for _, member in ipairs(found) do
    local unit = tonumber(string.sub(member, #variant_id + 2))
    answer[#answer + 1] = unit
    units[#units + 1] = plain(unit)
  end
  redis.call('ZREM', free, unpack(found))
  local head = variant_id .. '|' .. plain(line) .. '|' .. plain(now) .. '|'
  redis.call('HSET', given, follower_key, head .. table.concat(units, ','))
  return answer
end

local reply = {'proposed', tonumber(epoch)}
local line_before = line
for i = 2, #ARGV, 4 do
  local follower_key, variant_id, quantity, partial = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local entry = redis.call('HGET', given, follower_key)
  reply[#reply + 1] = entry and repeated(entry) or fresh(follower_key, variant_id, quantity, partial)
end
if line ~= line_before then
  redis.call('HSET', meta, 'line', plain(line))
end
return reply
