-- What wrk sends, and what it tells of it as a line of JSON.
--   wrk ... -s requests.lua URL -- json|sparql query|add|batch RUN KEY
-- RUN is a name that no other run has, so that every fact that is sent is new.

local run, key
local sent = 0

local function json(path, body)
  local headers = {["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. key}
  return wrk.format("POST", path, headers, body)
end

local function sparql(path, kind, body)
  local headers = {["Content-Type"] = "application/sparql-" .. kind}
  if kind == "query" then headers["Accept"] = "application/sparql-results+json" end
  return wrk.format("POST", path, headers, body)
end

local function entity()
  return "S" .. math.random(0, 19999)
end

local function many(make, separator)
  local items = {}
  for place = 1, 100 do items[place] = make(place) end
  return table.concat(items, separator)
end

local QUESTION = '{"pattern":["%s",null,null],"k":10,"min_weight":0.1,"include_metadata":true}'
local FACT = '{"subject":"%s-%d","predicate":"test","object":"V%d","weight":0.9,"metadata":{"source":"bench"}}'
local ITEM = '{"subject":"%s-%d-%d","predicate":"test","object":"V%d","weight":0.9}'
local NODE = "http://example.org/"

local makers = {
  json = {
    query = function() return json("/query", string.format(QUESTION, entity())) end,
    add = function() return json("/triples/add", string.format(FACT, run, sent, sent)) end,
    batch = function()
      local items = many(function(place) return string.format(ITEM, run, sent, place, place) end, ",")
      return json("/triples/batch", '{"triples":[' .. items .. '],"skip_duplicates":true}')
    end,
  },
  sparql = {
    query = function()
      return sparql("/query", "query", string.format("SELECT ?p ?o {<%s%s> ?p ?o} LIMIT 10", NODE, entity()))
    end,
    add = function()
      local fact = string.format("<%s%s-%d> <%stest> <%sV%d>", NODE, run, sent, NODE, NODE, sent)
      return sparql("/update", "update", "INSERT DATA {" .. fact .. "}")
    end,
    batch = function()
      local items = many(function(place)
        return string.format("<%s%s-%d-%d> <%stest> <%sV%d>", NODE, run, sent, place, NODE, NODE, place)
      end, " . ")
      return sparql("/update", "update", "INSERT DATA {" .. items .. "}")
    end,
  },
}

function init(arguments)
  local make = makers[arguments[1]][arguments[2]]
  run, key = arguments[3], arguments[4]
  math.randomseed(#run + string.byte(run, #run))
  request = function()
    sent = sent + 1
    return make()
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d,"longest":%d}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
