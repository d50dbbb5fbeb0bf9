-- Decides whether one verified body may wait in Redis until SQL is back.
-- KEYS[1] stream: the bodies that wait, oldest first          e.g. cb1:{spool}:stream
-- KEYS[2] size: hash of bytes                                 e.g. cb1:{spool}:size
-- ARGV[1] max_entries: bound of the stream, entries           e.g. 50000
-- ARGV[2] max_bytes: bound of the stream, bytes of body       e.g. 67108864
-- ARGV[3] channel: where it came in                           e.g. instagram
-- ARGV[4] received_us: epoch microseconds, our clock          e.g. 1763784000000000
-- ARGV[5] body: the raw bytes                                 e.g. {"object":"instagram"}
-- REPLY full: entries and bytes that wait; nothing changed
-- REPLY spooled: the id of the new entry
local stream, size = KEYS[1], KEYS[2]
local max_entries, max_bytes, channel, received_us, body = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local entries = redis.call('XLEN', stream)
local bytes = tonumber(redis.call('HGET', size, 'bytes') or 0)
if entries + 1 > tonumber(max_entries) or bytes + #body > tonumber(max_bytes) then
  return {'full', entries, bytes}
end
local id = redis.call('XADD', stream, '*', 'channel', channel, 'received_us', received_us, 'body', body)
redis.call('HINCRBY', size, 'bytes', #body)
return {'spooled', id}
