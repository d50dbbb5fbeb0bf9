-- Decides which bodies leave the spool: those named that are still there.
-- KEYS[1] stream: the bodies that wait, oldest first          e.g. cb1:{spool}:stream
-- KEYS[2] size: hash of bytes                                 e.g. cb1:{spool}:size
-- ARGV[+1] id: of a stored body                               e.g. 1763784000000-0
-- REPLY removed: how many were there
local stream, size = KEYS[1], KEYS[2]

local count, bytes = 0, 0
for i = 1, #ARGV, 1 do
  local id = ARGV[i]
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if entry then
    count = count + redis.call('XDEL', stream, id)
    bytes = bytes + #entry[2][6]
  end
end
if count > 0 then
  redis.call('HINCRBY', size, 'bytes', 0 - bytes)
end
return {'removed', count}
