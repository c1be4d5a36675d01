-- Writes a new version of one of a thousand secrets.
wrk.headers["X-Vault-Token"] = os.getenv("BENCH_TOKEN")
wrk.headers["Content-Type"] = "application/json"

local body = '{"data":{"username":"service","password":"correct horse battery staple"}}'

request = function()
  return wrk.format("POST", "/v1/secret/data/write/" .. math.random(0, 999), nil, body)
end
