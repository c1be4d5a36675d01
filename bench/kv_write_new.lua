-- Writes two values that nobody has seen, to one of many secrets of the mount in BENCH_MOUNT.
wrk.headers["X-Vault-Token"] = os.getenv("BENCH_TOKEN")
wrk.headers["Content-Type"] = "application/json"

local path = "/v1/" .. os.getenv("BENCH_MOUNT") .. "/data/app/"

init = function()
  local source = io.open("/dev/urandom", "rb")
  math.randomseed(string.byte(source:read(1)) * 65536 + string.byte(source:read(1)) * 256 + string.byte(source:read(1)))
  source:close()
end

local letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

local word = function(length)
  local text = {}
  for index = 1, length do
    local at = math.random(#letters)
    text[index] = letters:sub(at, at)
  end
  return table.concat(text)
end

request = function()
  local body = '{"data":{"username":"app-' .. word(8) .. '","password":"' .. word(32) .. '"}}'
  return wrk.format("POST", path .. math.random(0, 99999), nil, body)
end
