-- wrk's side of one load: the requests to send, the statuses that came back, and one JSON line at the end.
--
-- BENCH_REQUESTS names a file with one request per line: method, path, body (empty for none), then header names and values,
-- separated by tabs. They are sent in turn. Every status is counted: a fast wrong answer must not pass for a fast right one.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  requests, statuses, turn = {}, {}, 0
  for line in io.lines(os.getenv("BENCH_REQUESTS")) do
    local fields = {}
    for field in (line .. "\t"):gmatch("([^\t]*)\t") do
      fields[#fields + 1] = field
    end
    local headers = {}
    for i = 4, #fields - 1, 2 do
      headers[fields[i]] = fields[i + 1]
    end
    requests[#requests + 1] = wrk.format(fields[1], fields[2], headers, fields[3] ~= "" and fields[3] or nil)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local counts = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do
      counts[status] = (counts[status] or 0) + count
    end
  end
  local parts = {}
  for status, count in pairs(counts) do
    parts[#parts + 1] = string.format('"%s":%d', status, count)
  end
  local e = summary.errors
  io.write(string.format(
    '\nBENCH {"requests":%d,"microseconds":%d,"socketErrors":%d,"p50":%d,"p99":%d,"statuses":{%s}}\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99), table.concat(parts, ",")))
end
