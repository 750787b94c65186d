-- The writes of the read model: each call is atomic, checks what it builds on, and is idempotent.
-- Called as  EVALSHA sha 0 <verb> <arguments>.  Nothing here has a time to live, so eviction
-- (volatile-lru) takes none of it; the counts notice what goes missing all the same.
--
--   gw:progress  hash  <topic>:<partition> -> offset of the next record to project
--   gw:count     hash  <kind>:<partition> -> how many fields gw:<kind>:<partition> must have
--                      old:<partition> -> how many superseded points there are (each sweep sets it)
--   gw:epoch     changes with every rebuild
--   gw:changes   zset  <kind>:<partition>:<token> by the version of the last change
--   gw:lag       hash  <topic>:<partition> -> since when it is behind, while it is
--   gw:<cur|rel|lnk|rev>:<partition>  hash  token -> "<group>;<rank>;<offset>;<mark>;<time>;<json>"
--            a smaller (group, rank) never replaces a greater one, nor an older offset a newer
--   gw:evt:<partition>  hash  event_id -> token        gw:held:<partition>  hash  token -> number
--   gw:point:<token>    hash  event_id -> "<model epoch>;<bytes>"   gw:detail:<token> likewise
--   gw:time:<token>     zset  event_id by clinical time
--   gw:old:<token>      hash  <event_id>:<model epoch> -> bytes of a superseded point
--   gw:decided:<token>  hash  review id -> the first decision of that id, as JSON
--   gw:revoked          zset  session by the time when it would have ended (not written here)

local verb = ARGV[1]

-- Move the progress and return the version: the sum of the progress of all partitions.
local function moved(field, progress, next_offset)
  if not progress or next_offset > tonumber(progress) then
    redis.call('HSET', 'gw:progress', field, string.format('%.0f', next_offset))
  end
  local sum = 0
  for _, offset in ipairs(redis.call('HVALS', 'gw:progress')) do sum = sum + tonumber(offset) end
  return string.format('%.0f', sum)
end

local function lag(field, at)
  if at == '' then redis.call('HDEL', 'gw:lag', field) else redis.call('HSET', 'gw:lag', field, at) end
end

-- Has everything through `known` been projected, and is it all still there?
local function lost(kind, partition, field, known)
  local progress = redis.call('HGET', 'gw:progress', field)
  if (progress and tonumber(progress) or 0) < known then return progress or '-1', progress end
  local count = tonumber(redis.call('HGET', 'gw:count', kind .. ':' .. partition) or '0')
  if redis.call('HLEN', 'gw:' .. kind .. ':' .. partition) ~= count then return '-2', progress end
  if redis.call('EXISTS', 'gw:epoch') == 0 and progress then return '-2', progress end
  return nil, progress
end

local function held_intact(partition, token)
  local held = tonumber(redis.call('HGET', 'gw:held:' .. partition, token) or '0')
  return redis.call('HLEN', 'gw:point:' .. token) == held
    and redis.call('HLEN', 'gw:detail:' .. token) == held
    and redis.call('ZCARD', 'gw:time:' .. token) == held
end

-- begin <kind> <partition> <field> <offset> <new epoch> <lag>: a replay starts at <offset>.
if verb == 'begin' then
  local kind, partition, field = ARGV[2], ARGV[3], ARGV[4]
  redis.call('HSET', 'gw:progress', field, ARGV[5])
  redis.call('SET', 'gw:epoch', ARGV[6])
  local key = 'gw:' .. kind .. ':' .. partition
  redis.call('HSET', 'gw:count', kind .. ':' .. partition, redis.call('HLEN', key))
  lag(field, ARGV[7])
  if kind == 'evt' then
    -- Drop what is only half there, so that the replay writes it again.
    local held = {}
    for _, token in ipairs(redis.call('HVALS', key)) do held[token] = true end
    for _, token in ipairs(redis.call('HKEYS', 'gw:held:' .. partition)) do held[token] = true end
    for token in pairs(held) do
      if not held_intact(partition, token) then
        for _, event in ipairs(redis.call('HKEYS', 'gw:point:' .. token)) do
          redis.call('HDEL', key, event)
        end
        redis.call('DEL', 'gw:point:' .. token, 'gw:detail:' .. token, 'gw:time:' .. token)
        local olds = redis.call('HLEN', 'gw:old:' .. token)
        if olds > 0 then redis.call('HINCRBY', 'gw:count', 'old:' .. partition, -olds) end
        redis.call('DEL', 'gw:old:' .. token)
        redis.call('HDEL', 'gw:held:' .. partition, token)
      end
    end
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do
      if redis.call('HEXISTS', 'gw:point:' .. all[i + 1], all[i]) == 0 then
        redis.call('HDEL', key, all[i])
      end
    end
    redis.call('HSET', 'gw:count', kind .. ':' .. partition, redis.call('HLEN', key))
  end
  return {'ok', 0, 0, 0}
end

-- rows <kind> <partition> <field> <known> <next> <new epoch> <lag>
--      then for each: <token> <group> <rank> <offset> <mark> <time> <json, or empty: delete>
if verb == 'rows' then
  local kind, partition, field = ARGV[2], ARGV[3], ARGV[4]
  local where, progress = lost(kind, partition, field, tonumber(ARGV[5]))
  if where then return {'lost', where} end
  redis.call('SETNX', 'gw:epoch', ARGV[7])
  local version = moved(field, progress, tonumber(ARGV[6]))
  lag(field, ARGV[8])
  local key, changed, grown = 'gw:' .. kind .. ':' .. partition, 0, 0
  for i = 9, #ARGV, 7 do
    local token, group, rank, offset, mark, at = unpack(ARGV, i, i + 5)
    if kind == 'rev' then
      -- Every decision is kept under its id, the newest as the row: the same id is decided once.
      if ARGV[i + 6] == '' then redis.call('DEL', 'gw:decided:' .. token)
      else redis.call('HSETNX', 'gw:decided:' .. token, mark, ARGV[i + 6]) end
    end
    local stored = redis.call('HGET', key, token)
    local write = true
    if stored then
      local g, r, o, m, t = string.match(stored, '^([^;]*);([^;]*);([^;]*);([^;]*);([^;]*);')
      if tonumber(o) >= tonumber(offset) then write = false
      elseif ARGV[i + 6] ~= '' and tonumber(g) > tonumber(group) then write = false
      elseif ARGV[i + 6] ~= '' and g == group and tonumber(r) > tonumber(rank) then write = false end
      -- A relation's mark: where the patient is (unit, empty when closed), and what changed last.
      if kind == 'rel' and write and mark ~= '' and m ~= '' then
        local last_change, unit = string.match(m, '^([^|]*)|(.*)$')
        local now_at = string.match(mark, '|(.*)$')
        if now_at == unit then mark = last_change .. '|' .. now_at
        elseif now_at ~= '' and unit ~= '' then mark = 'transferred@' .. at .. '|' .. now_at
        elseif now_at ~= '' then mark = 'admitted@' .. at .. '|' .. now_at end
      end
    end
    if write then
      if ARGV[i + 6] == '' then grown = grown - redis.call('HDEL', key, token)
      else
        local prefix = table.concat({group, rank, offset, mark, at}, ';')
        grown = grown + redis.call('HSET', key, token, prefix .. ';' .. ARGV[i + 6])
      end
      redis.call('ZADD', 'gw:changes', version, kind .. ':' .. partition .. ':' .. token)
      changed = changed + 1
    end
  end
  if grown ~= 0 then redis.call('HINCRBY', 'gw:count', kind .. ':' .. partition, grown) end
  return {'ok', changed, 0, 0}
end

-- events evt <partition> <field> <known> <next> <new epoch> <lag>
--      then for each: <event id> <token> <model epoch> <clinical time> <point> <detail>
--      An empty event id erases all results of the token.
if verb == 'events' then
  local partition, field = ARGV[3], ARGV[4]
  local where, progress = lost('evt', partition, field, tonumber(ARGV[5]))
  if where then return {'lost', where} end
  local index, held = 'gw:evt:' .. partition, 'gw:held:' .. partition
  local checked = {}
  for i = 9, #ARGV, 6 do
    local token = ARGV[i + 1]
    if not checked[token] then
      if not held_intact(partition, token) then return {'lost', '-2'} end
      checked[token] = true
    end
  end
  redis.call('SETNX', 'gw:epoch', ARGV[7])
  local version = moved(field, progress, tonumber(ARGV[6]))
  lag(field, ARGV[8])
  local new, superseded, again, olds = 0, 0, 0, 0
  for i = 9, #ARGV, 6 do
    local event, token, epoch, at, point, detail = unpack(ARGV, i, i + 5)
    if event == '' then
      for _, name in ipairs(redis.call('HKEYS', 'gw:point:' .. token)) do
        new = new - redis.call('HDEL', index, name)
      end
      olds = olds - redis.call('HLEN', 'gw:old:' .. token)
      redis.call('HDEL', held, token)
      redis.call('DEL', 'gw:point:' .. token, 'gw:detail:' .. token, 'gw:time:' .. token,
        'gw:old:' .. token, 'gw:decided:' .. token)
      redis.call('ZADD', 'gw:changes', version, 'evt:' .. partition .. ':' .. token)
    else
      local stored = redis.call('HGET', 'gw:point:' .. token, event)
      local seen = stored and tonumber(string.match(stored, '^(-?%d+);'))
      local show = not stored
      if stored and tonumber(epoch) > seen then
        olds = olds + redis.call('HSET', 'gw:old:' .. token, event .. ':' .. seen, stored)
        superseded, show = superseded + 1, true
      elseif stored and tonumber(epoch) < seen then
        local added =
          redis.call('HSETNX', 'gw:old:' .. token, event .. ':' .. epoch, epoch .. ';' .. point)
        superseded, olds = superseded + added, olds + added
      elseif stored then
        again = again + 1
      end
      if show then
        redis.call('HSET', 'gw:point:' .. token, event, epoch .. ';' .. point)
        redis.call('HSET', 'gw:detail:' .. token, event, detail)
        redis.call('ZADD', 'gw:time:' .. token, at, event)
        redis.call('ZADD', 'gw:changes', version, 'evt:' .. partition .. ':' .. token)
      end
      if not stored then redis.call('HINCRBY', held, token, 1) end
      new = new + redis.call('HSETNX', index, event, token)
    end
  end
  if new ~= 0 then redis.call('HINCRBY', 'gw:count', 'evt:' .. partition, new) end
  if olds ~= 0 then redis.call('HINCRBY', 'gw:count', 'old:' .. partition, olds) end
  return {'ok', math.max(new, 0), superseded, again}
end

-- sweep <partition> <keep ms> <now ms>: is every token whole? Drop points older than <keep> before
-- the newest of their token that were scored as long ago: what came just now is shown, however old
-- it says it is. What was superseded goes with its event. Returns how many tokens are not whole, and how many points went.
if verb == 'sweep' then
  local partition, keep, now = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
  local broken, dropped, total, olds = 0, 0, 0, 0
  for _, number in ipairs(redis.call('HVALS', 'gw:held:' .. partition)) do total = total + number end
  if total ~= redis.call('HLEN', 'gw:evt:' .. partition) then broken = 1 end
  for _, token in ipairs(redis.call('HKEYS', 'gw:held:' .. partition)) do
    if not held_intact(partition, token) then
      broken, olds = broken + 1, olds + redis.call('HLEN', 'gw:old:' .. token)
    else
      local newest = redis.call('ZREVRANGE', 'gw:time:' .. token, 0, 0, 'WITHSCORES')[2]
      local edge = '(' .. string.format('%.0f', tonumber(newest) - keep)
      for _, event in ipairs(redis.call('ZRANGEBYSCORE', 'gw:time:' .. token, '-inf', edge)) do
        local packed = string.match(redis.call('HGET', 'gw:point:' .. token, event), ';(.*)$')
        if cmsgpack.unpack(packed)[2] < now - keep then
          redis.call('HDEL', 'gw:point:' .. token, event)
          redis.call('HDEL', 'gw:detail:' .. token, event)
          redis.call('ZREM', 'gw:time:' .. token, event)
          redis.call('HDEL', 'gw:evt:' .. partition, event)
          redis.call('HINCRBY', 'gw:held:' .. partition, token, -1)
          redis.call('HINCRBY', 'gw:count', 'evt:' .. partition, -1)
          dropped = dropped + 1
        end
      end
      for _, field in ipairs(redis.call('HKEYS', 'gw:old:' .. token)) do
        local event = string.match(field, '^(.*):%-?%d+$')
        if redis.call('HEXISTS', 'gw:point:' .. token, event) == 0 then
          redis.call('HDEL', 'gw:old:' .. token, field)
        else olds = olds + 1 end
      end
    end
  end
  redis.call('HSET', 'gw:count', 'old:' .. partition, olds)
  return {'ok', broken, dropped, 0}
end

return redis.error_reply('unknown verb')
