-- wrk's part: posts recorded bodies, one after the other, and tells what came back as one line of JSON.
-- args[1] path of the file: lines of "signature body"
-- args[2] "once" (stop after the last one) or "cycle" (begin again)
local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int process, int signal);")
local SIGINT = 2
local requests, next_one, is_cycle = {}, 0, false

function init(args)
  is_cycle = args[2] == "cycle"
  for line in io.lines(args[1]) do
    local signature, body = line:match("^(%S+) (.*)$")
    local headers = { ["Content-Type"] = "application/json", ["X-Hub-Signature-256"] = signature }
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  next_one = next_one + 1
  if next_one > #requests then
    if not is_cycle then
      -- wrk's main thread sleeps until its time is over, or Ctrl-C.
      wrk.thread:stop()
      ffi.C.kill(ffi.C.getpid(), SIGINT)
    end
    next_one = 1
  end
  return requests[next_one]
end

function done(summary, latency, _)
  local failed = summary.errors
  local line = '{"posts": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "lost": %d}\n'
  io.write(line:format(
    summary.requests,
    summary.duration / 1e6,
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    failed.status,
    failed.connect + failed.read + failed.write + failed.timeout
  ))
end
