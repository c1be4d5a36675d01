-- Writes a new version of one of a thousand secrets.
wrk.headers["X-Vault-Token"] = os.getenv("BENCH_TOKEN")
wrk.headers["Content-Type"] = "application/json"

-- Each thread draws numbers of its own: unseeded, all would draw the same ones, and write the same secrets at the same time.
local threads = 0

setup = function(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

init = function()
  math.randomseed(seed)
end

local body = '{"data":{"username":"service","password":"correct horse battery staple"}}'

request = function()
  return wrk.format("POST", "/v1/secret/data/write/" .. math.random(0, 999), nil, body)
end
