# mypy: ignore-errors
# It runs with an interpreter of its own, and what it imports is none of this project's requirements.
"""A service on FastAPI and asyncpg, written by hand, that does what this one does for a query, an add and a batch.

It has what the deployment guide names for a request: a key compared in constant time, a limit for each route, strict
models, counters and histograms, a line of JSON in the log. Each request takes a connection of the pool. `graph.py`
has what it keeps.
"""

import hashlib
import hmac
import json
import os
import sys
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from logging import INFO, basicConfig
from typing import Annotated, Any, Literal

import graph
import structlog
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, ConfigDict, Field
from slowapi import Limiter
from slowapi.util import get_remote_address

KEY_HASH = os.environ["SKG_API_KEY_HASH"].removeprefix("sha256:")
LIMIT = "100000000/minute"

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


class AddTriple(Triple):
    on_duplicate: Literal["keep", "replace"] = "keep"


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


@asynccontextmanager
async def lifespan(app):
    async with await graph.open_pool() as pool:
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


@app.post("/triples/add", status_code=201, dependencies=[Depends(authorised)])
@limiter.limit(LIMIT)
async def add(request: Request, response: Response, triple: AddTriple):
    fact = fact_of(triple, graph.API)
    replace = triple.on_duplicate == "replace"
    status, id_, weight, metadata, created = await graph.committed(request.app.state.pool, graph.add_one, fact, replace)
    if status == "inserted":
        ADDED.labels("api").inc()
    else:
        response.status_code = 200
    named = {"subject": fact.subject, "predicate": fact.predicate, "object": fact.object}
    shown = named | {"weight": weight, "metadata": metadata}
    return shown | {"id": id_, "created_at": datetime.fromtimestamp(created / 1000, UTC), "status": status}


@app.post("/triples/batch", status_code=202, dependencies=[Depends(authorised)])
@limiter.limit(LIMIT)
async def batch(request: Request, body: Batch):
    start = time.perf_counter()
    facts = [fact_of(triple, graph.BATCH) for triple in body.triples]
    try:
        done = await graph.committed(request.app.state.pool, graph.add_many, facts, body.skip_duplicates)
    except graph.Duplicates:
        raise HTTPException(409, "some facts are there already") from None
    ADDED.labels("batch").inc(done)
    took = round((time.perf_counter() - start) * 1000, 2)
    return {"accepted": done, "duplicates": len(facts) - done, "errors": 0, "processing_time_ms": took}


def fact_of(triple: Triple, source: int) -> graph.Fact:
    return graph.Fact(triple.subject, triple.predicate, triple.object, triple.weight, triple.metadata, source)


@app.post("/query", dependencies=[Depends(authorised)])
@limiter.limit(LIMIT)
async def query(request: Request, body: Query):
    start = time.perf_counter()
    rows, total = await graph.heaviest(request.app.state.pool, body.pattern, body.k, body.min_weight)
    results = [
        {"id": row[0], "subject": row[1], "predicate": row[2], "object": row[3], "weight": row[4]}
        | ({"metadata": json.loads(row[5] or "{}")} if body.include_metadata else {})
        for row in rows
    ]
    QUERIES.labels("full" if all(body.pattern) else "partial").inc()
    RESULTS.observe(len(results))
    return {"results": results, "total": total, "query_time_ms": round((time.perf_counter() - start) * 1000, 2)}


@app.get("/health")
async def health():
    return {"status": "healthy"}
