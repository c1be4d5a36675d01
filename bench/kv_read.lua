-- Reads one of a hundred stored secrets.
wrk.headers["X-Vault-Token"] = os.getenv("BENCH_TOKEN")

-- Each thread draws numbers of its own.
local threads = 0

setup = function(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

init = function()
  math.randomseed(seed)
end

request = function()
  return wrk.format("GET", "/v1/secret/data/read/" .. math.random(0, 99))
end
