"""The curl examples of the deployment guide's API reference, bodies and answers to the letter."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from skg_site.version import VERSION

pytestmark = pytest.mark.both

JSON = {"Content-Type": "application/json"}

ADD = """{
    "subject": "Einstein",
    "predicate": "discovered",
    "object": "Relativity",
    "weight": 0.95,
    "metadata": {"source": "wikipedia", "confidence": 0.98}
  }"""
BATCH = """{
    "triples": [
      {"subject": "Einstein", "predicate": "born_in", "object": "Germany", "weight": 1.0},
      {"subject": "Einstein", "predicate": "won", "object": "Nobel_Prize", "weight": 1.0}
    ],
    "skip_duplicates": true
  }"""
QUERY = """{
    "pattern": ["Einstein", null, null],
    "k": 10,
    "min_weight": 0.5,
    "include_metadata": true
  }"""


def moment(text: str) -> datetime:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), text
    return datetime.fromisoformat(text)


def is_part_of(shown: dict[str, Any], answer: dict[str, Any]) -> bool:
    """A client that knows only the guide's fields finds them, with the guide's values."""
    return shown.items() <= answer.items()


async def test_add_single_triple(api: httpx.AsyncClient) -> None:
    answer = await api.post("/triples/add", headers=JSON, content=ADD)
    assert answer.status_code == 201
    content = answer.json()
    assert is_part_of(
        {
            "subject": "Einstein",
            "predicate": "discovered",
            "object": "Relativity",
            "weight": 0.95,
            "status": "inserted",
        },
        content,
    )
    assert str(UUID(content["id"])) == content["id"]
    assert abs((datetime.now(tz=moment(content["created_at"]).tzinfo) - moment(content["created_at"])).seconds) < 60


async def test_batch_insert(api: httpx.AsyncClient) -> None:
    answer = await api.post("/triples/batch", headers=JSON, content=BATCH)
    assert answer.status_code == 202
    content = answer.json()
    assert set(content) == {"accepted", "duplicates", "errors", "processing_time_ms"}
    assert is_part_of({"accepted": 2, "duplicates": 0, "errors": 0}, content)
    assert isinstance(content["processing_time_ms"], int)


async def test_query_triples(api: httpx.AsyncClient) -> None:
    await api.post("/triples/add", headers=JSON, content=ADD)
    answer = await api.post("/query", headers=JSON, content=QUERY)
    assert answer.status_code == 200
    content = answer.json()
    assert set(content) == {"results", "total", "query_time_ms"}
    assert (content["total"], type(content["query_time_ms"])) == (1, int)
    [result] = content["results"]
    assert is_part_of(
        {
            "subject": "Einstein",
            "predicate": "discovered",
            "object": "Relativity",
            "weight": 0.95,
            "metadata": {"source": "wikipedia", "confidence": 0.98},
        },
        result,
    )


async def test_health_check(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/health")
    assert answer.status_code == 200
    content = answer.json()
    assert content | {"timestamp": ""} == {"status": "healthy", "version": VERSION, "timestamp": ""}
    moment(content["timestamp"])


async def test_readiness_probe(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/ready")
    assert answer.status_code == 200
    assert is_part_of({"ready": True, "db_connected": True}, answer.json())


@pytest.mark.once
@pytest.mark.in_process
async def test_metrics(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_statistics(api: httpx.AsyncClient) -> None:
    await api.post("/triples/batch", headers=JSON, content=BATCH)
    answer = await api.get("/stats")
    assert answer.status_code == 200
    content = answer.json()
    assert is_part_of({"total_triples": 2, "unique_subjects": 1}, content)
    assert isinstance(content["db_size_mb"], float)


async def test_authentication(anonymous: httpx.AsyncClient) -> None:
    # The guide's own key, which has the length of no key of this service.
    printed = {"Authorization": "Bearer skg_prod_7f3d9a1b2c4e5f6a8b9c0d1e2f3a4b5c6d7e8f9a0b"}
    assert (await anonymous.get("/stats", headers=printed)).status_code == 401
    assert (await anonymous.get("/stats")).status_code == 401
