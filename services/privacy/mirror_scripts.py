"""What a mirror does in Redis in one step (Lua)."""

# KEYS: hash. ARGV: progress field, expected progress, new progress, then field and value pairs.
# A field "i:.." is a set of words that only grows; an empty value deletes.
APPLY = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '0') ~= ARGV[2] then return 0 end
for n = 4, #ARGV, 2 do
  local field, value = ARGV[n], ARGV[n + 1]
  if value == '' then
    redis.call('HDEL', KEYS[1], field)
  elseif string.sub(field, 1, 2) == 'i:' then
    local held = redis.call('HGET', KEYS[1], field)
    if not held then
      redis.call('HSET', KEYS[1], field, value)
    elseif #held < 16384 and not string.find(' ' .. held .. ' ', ' ' .. value .. ' ', 1, true) then
      redis.call('HSET', KEYS[1], field, held .. ' ' .. value)
    end
  else
    redis.call('HSET', KEYS[1], field, value)
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""
# KEYS: hash. ARGV: field, value, mark.
OFFER = """
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and (ARGV[3] == '' or string.sub(held, 1, 1) ~= ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
