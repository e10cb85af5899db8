# mypy: ignore-errors
# It runs with an interpreter of its own, and what it imports is none of this project's requirements.
"""A service on FastAPI and asyncpg, written by hand, that does what this one does for a query, an add and a batch.

It has what the deployment guide names for a request: a key compared in constant time, a limit for each route, strict
models, counters and histograms, a line of JSON in the log. Each request takes a connection of the pool, and is one
statement, or two where the total of a query must be counted.
"""

import hashlib
import hmac
import json
import os
import sys
import time
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from logging import INFO, basicConfig
from typing import Annotated, Any

import asyncpg
import structlog
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, ConfigDict, Field
from slowapi import Limiter
from slowapi.util import get_remote_address

KEY_HASH = os.environ["SKG_API_KEY_HASH"].removeprefix("sha256:")
LIMIT = "100000000/minute"
COUNTED = 10_000

basicConfig(format="%(message)s", stream=sys.stdout, level=INFO)
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
log = structlog.get_logger("skg")

REQUESTS = Counter("skg_requests_total", "Requests", ["method", "endpoint", "http_status"])
DURATION = Histogram("skg_request_duration_seconds", "Duration", ["method", "endpoint"])
ADDED = Counter("skg_triples_added_total", "Facts inserted", ["source"])
QUERIES = Counter("skg_queries_executed_total", "Queries", ["pattern_type"])
RESULTS = Histogram("skg_query_results", "Results of a query")

Term = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[\w\s\-_]+$")]


class Triple(BaseModel):
    model_config = ConfigDict(extra="forbid")
    subject: Term
    predicate: Annotated[Term, Field(max_length=100)]
    object: Term
    weight: float = Field(default=1.0, ge=0.0, le=1.0)
    metadata: dict[str, Any] = Field(default_factory=dict)


class Batch(BaseModel):
    model_config = ConfigDict(extra="forbid")
    triples: list[Triple] = Field(min_length=1, max_length=1000)
    skip_duplicates: bool = True


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")
    pattern: list[str | None] = Field(min_length=3, max_length=3)
    k: int = Field(default=10, ge=1, le=1000)
    min_weight: float = 0.0
    include_metadata: bool = False


# The indexes serve each pattern, heaviest first.
SCHEMA = """
CREATE TABLE IF NOT EXISTS peer (
  id uuid PRIMARY KEY, subject text NOT NULL, predicate text NOT NULL, object text NOT NULL,
  weight float8 NOT NULL, metadata json NOT NULL, created_at timestamptz NOT NULL,
  UNIQUE (subject, predicate, object));
CREATE INDEX IF NOT EXISTS peer_s ON peer (subject, weight DESC);
CREATE INDEX IF NOT EXISTS peer_p ON peer (predicate, weight DESC);
CREATE INDEX IF NOT EXISTS peer_o ON peer (object, weight DESC)
"""
INSERT = (
    "INSERT INTO peer SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::json[],"
    " $7::timestamptz[]) ON CONFLICT (subject, predicate, object) DO NOTHING RETURNING id"
)


@asynccontextmanager
async def lifespan(app):
    async with asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], min_size=20, max_size=20) as pool:
        await pool.execute(SCHEMA)
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)
limiter = Limiter(key_func=get_remote_address)
app.state.limiter = limiter
bearer = HTTPBearer(auto_error=False)


def authorised(sent: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]):
    if sent is None or not hmac.compare_digest(hashlib.sha256(sent.credentials.encode()).hexdigest(), KEY_HASH):
        raise HTTPException(401, "missing or invalid API key")


@app.middleware("http")
async def observe(request: Request, call_next):
    start = time.perf_counter()
    response = await call_next(request)
    seconds = time.perf_counter() - start
    REQUESTS.labels(request.method, request.url.path, response.status_code).inc()
    DURATION.labels(request.method, request.url.path).observe(seconds)
    response.headers["X-Content-Type-Options"] = "nosniff"
    status, took = response.status_code, round(seconds * 1000, 2)
    log.info("request", method=request.method, path=request.url.path, status=status, duration_ms=took)
    return response


async def stored(request: Request, triples: list[Triple]) -> tuple[list[uuid.UUID], int, datetime]:
    now = datetime.now(UTC)
    rows = [
        (uuid.uuid4(), one.subject, one.predicate, one.object, one.weight, json.dumps(one.metadata), now)
        for one in triples
    ]
    found = await request.app.state.pool.fetch(INSERT, *map(list, zip(*rows, strict=True)))
    return [row[0] for row in rows], len(found), now


@app.post("/triples/add", status_code=201, dependencies=[Depends(authorised)])
@limiter.limit(LIMIT)
async def add(request: Request, triple: Triple):
    [id_], done, now = await stored(request, [triple])
    ADDED.labels("api").inc(done)
    return {**triple.model_dump(), "id": id_, "created_at": now, "status": "inserted" if done else "exists"}


@app.post("/triples/batch", status_code=202, dependencies=[Depends(authorised)])
@limiter.limit(LIMIT)
async def batch(request: Request, body: Batch):
    start = time.perf_counter()
    _, done, _ = await stored(request, body.triples)
    ADDED.labels("batch").inc(done)
    took = round((time.perf_counter() - start) * 1000, 2)
    return {"accepted": done, "duplicates": len(body.triples) - done, "errors": 0, "processing_time_ms": took}


@app.post("/query", dependencies=[Depends(authorised)])
@limiter.limit(LIMIT)
async def query(request: Request, body: Query):
    start = time.perf_counter()
    names = ("subject", "predicate", "object")
    given = {name: value for name, value in zip(names, body.pattern, strict=True) if value is not None}
    where = " AND ".join(["weight >= $1", *(f"{name} = ${place}" for place, name in enumerate(given, 2))])
    values = [body.min_weight, *given.values()]
    pool = request.app.state.pool
    columns = "id, subject, predicate, object, weight, metadata"
    rows = await pool.fetch(
        f"SELECT {columns} FROM peer WHERE {where} ORDER BY weight DESC, id LIMIT {body.k}", *values
    )
    total = len(rows)
    if total == body.k:
        counted = f"SELECT count(*) FROM (SELECT 1 FROM peer WHERE {where} LIMIT {COUNTED + 1}) AS found"
        total = min(await pool.fetchval(counted, *values), COUNTED)
    results = [
        {"id": row[0], "subject": row[1], "predicate": row[2], "object": row[3], "weight": row[4]}
        | ({"metadata": json.loads(row[5])} if body.include_metadata else {})
        for row in rows
    ]
    QUERIES.labels("full" if all(body.pattern) else "partial").inc()
    RESULTS.observe(len(results))
    return {"results": results, "total": total, "query_time_ms": round((time.perf_counter() - start) * 1000, 2)}


@app.get("/health")
async def health():
    return {"status": "healthy"}
