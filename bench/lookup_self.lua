-- Asks who the token is.
wrk.headers["X-Vault-Token"] = os.getenv("BENCH_TOKEN")

request = function()
  return wrk.format("GET", "/v1/auth/token/lookup-self")
end
