-- Reads one of a hundred stored secrets.
wrk.headers["X-Vault-Token"] = os.getenv("BENCH_TOKEN")

request = function()
  return wrk.format("GET", "/v1/secret/data/read/" .. math.random(0, 99))
end
