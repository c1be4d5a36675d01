-- Logs in with a role id and a secret id; every login makes a token.
wrk.headers["Content-Type"] = "application/json"

local body = string.format('{"role_id":"%s","secret_id":"%s"}', os.getenv("BENCH_ROLE_ID"), os.getenv("BENCH_SECRET_ID"))

request = function()
  return wrk.format("POST", "/v1/auth/approle/login", nil, body)
end
