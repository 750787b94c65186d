"""What a mirror does in Redis in one step (Lua)."""

from collections.abc import Sequence

DUE = b"+"  # begins a value that has to be written to the topic once more

# KEYS: hash. ARGV: progress field, expected progress, new progress, field and version (0: none) of
# an entry that must be newer than what the field holds, then field and value pairs.
# A field "i:.." is a set of words that only grows; an empty value deletes.
APPLY = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '0') ~= ARGV[2] then return 0 end
if ARGV[5] ~= '0' then
  local held = redis.call('HGET', KEYS[1], ARGV[4]) or ''
  local version = string.find(held, '^[!+]') and string.match(held, '"version":(%d+)')
  if version and tonumber(version) >= tonumber(ARGV[5]) then return 0 end
end
for n = 6, #ARGV, 2 do
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
# KEYS: hash. ARGV: field, value, mark, what may be replaced too ('': nothing).
OFFER = """
local held = redis.call('HGET', KEYS[1], ARGV[1])
local is_marked = ARGV[3] ~= '' and held and string.sub(held, 1, 1) == ARGV[3]
if held and not is_marked and held ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""


def apply_arguments(
    partition: int,
    at: int,
    values: Sequence[tuple[str, bytes]],
    key: str = "",
    version: int = 0,
    *,
    until: int = 0,
) -> list[str | int | bytes]:
    """Return what ``APPLY`` takes to go on from offset ``at`` to ``until``, or to the next."""
    pairs = [part for pair in values for part in pair]
    return [f"@{partition}", at, until or at + 1, key, version, *pairs]
