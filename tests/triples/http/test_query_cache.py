"""Which answers are kept in Valkey, and which are not given again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from django.db import connection

from skg_site.api.valkey import valkey
from tests.conftest import ChangeSettings
from tests.support.valkey import ValkeyServer
from triples.http import query_cache
from triples.query import finding_answers

pytestmark = pytest.mark.both


@pytest.fixture
async def server(valkey_server: ValkeyServer, change_settings: ChangeSettings) -> AsyncIterator[ValkeyServer]:
    change_settings(cache_ttl=60)
    valkey.open(valkey_server.url)
    yield valkey_server
    await valkey.close()


async def add(api: httpx.AsyncClient, object_: str) -> None:
    fact = {"subject": "Ada", "predicate": "knows", "object": object_, "metadata": {"since": 1833}}
    (await api.post("/triples/add", json=fact)).raise_for_status()


async def ask(api: httpx.AsyncClient, **more: Any) -> list[dict[str, Any]]:
    answer = await api.post("/query", json={"pattern": ["Ada", None, None]} | more)
    results: list[dict[str, Any]] = answer.raise_for_status().json()["results"]
    await asyncio.gather(*query_cache._keeping)
    return results


def kept(server: ValkeyServer) -> list[Any]:
    with server.client() as client:
        return list(client.keys("skg:query:*"))


async def test_an_answer_is_kept_on_postgresql_alone(api: httpx.AsyncClient, server: ValkeyServer) -> None:
    await add(api, "Charles")
    first = await ask(api, include_metadata=True)
    if connection.vendor == "postgresql":
        # Whatever else the server does meanwhile (such as its own cleaning up) may pass for a change.
        while not kept(server):
            assert await ask(api, include_metadata=True) == first
    assert len(kept(server)) == (connection.vendor == "postgresql")
    assert await ask(api, include_metadata=True) == first
    assert first[0]["metadata"] == {"since": 1833}


async def test_different_questions_have_answers_of_their_own(api: httpx.AsyncClient, server: ValkeyServer) -> None:
    for object_ in ("Charles", "Mary"):
        await add(api, object_)
    assert [len(await ask(api, k=k)) for k in (1, 2, 1, 2)] == [1, 2, 1, 2]
    assert "metadata" not in (await ask(api))[0]
    assert "inferred" not in (await ask(api, include_inferred=False))[0]


async def test_a_long_answer_is_not_kept(
    api: httpx.AsyncClient, server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_cache, "MAX_BYTES", 100)
    await add(api, "Charles")
    assert await ask(api) == await ask(api)
    assert kept(server) == []


@pytest.mark.parametrize("content", [b"\xff", b"[]", b"7", b"{}"])
async def test_what_something_else_has_put_there_is_no_answer(
    api: httpx.AsyncClient, server: ValkeyServer, content: bytes
) -> None:
    await add(api, "Charles")
    first = await ask(api)
    with server.client() as client:
        for name in kept(server):
            client.set(name, content)
    assert await ask(api) == first


async def test_what_changed_while_it_was_read_is_not_kept(
    api: httpx.AsyncClient, server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("nothing is kept")
    versions = iter(["before", "after"])

    async def next_version() -> str:
        return next(versions)

    monkeypatch.setattr(query_cache, "database_version", next_version)
    await ask(api)
    assert kept(server) == []


async def test_without_valkey_the_database_answers(api: httpx.AsyncClient, server: ValkeyServer) -> None:
    await add(api, "Charles")
    first = await ask(api)
    server.kill()
    assert await ask(api) == first
    assert await ask(api) == first


async def test_a_variable_is_not_taken_for_a_constant(api: httpx.AsyncClient, server: ValkeyServer) -> None:
    await add(api, "Ada")
    await add(api, "?x")
    patterns: list[list[Any]] = [["Ada", None, None], ["Ada", None, "?x"], ["Ada", None, {"term": "?x"}]]
    patterns += [["?x", None, "?x"], ["?x", None, "?y"], [{"term": "?x"}, None, None]]
    for _ in range(2):
        assert [len(await ask(api, pattern=pattern)) for pattern in patterns] == [2, 2, 1, 1, 2, 0]


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("/query/patterns", {"patterns": [["?a", "knows", "?b"]]}),
    ("/query/patterns", {"patterns": [["Ada", "knows", {"term": "?b"}]]}),
    ("/query/patterns", {"patterns": [["?a", "knows", "?b"]], "group_by": ["?b"], "explain": True}),
    ("/query/paths", {"from": "Ada", "to": "Charles"}),
    ("/query/neighbours", {"term": "Charles"}),
]


async def ask_all(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    answers = []
    for path, body in QUESTIONS:
        answer = (await api.post(path, json=body)).raise_for_status().json()
        assert answer.pop("query_time_ms") >= 0
        answers.append(answer)
    await asyncio.gather(*query_cache._keeping)
    return answers


async def test_answers_to_longer_questions_are_kept_too(api: httpx.AsyncClient, server: ValkeyServer) -> None:
    await add(api, "Charles")
    first = await ask_all(api)
    if connection.vendor == "postgresql":
        while len(kept(server)) < len(QUESTIONS):
            assert await ask_all(api) == first
    assert await ask_all(api) == first
    await add(api, "?b")
    second = await ask_all(api)
    assert [len(answer["results"]) for answer in first[:2]] == [1, 0]
    assert [len(answer["results"]) for answer in second[:2]] == [2, 1]


async def test_what_was_found_when_time_was_over_is_not_kept(
    api: httpx.AsyncClient, server: ValkeyServer, change_settings: ChangeSettings
) -> None:
    change_settings(query_timeout=1e-9)
    answer = await api.post("/query/patterns", json={"patterns": [["?a", "knows", "?b"]]})
    await asyncio.gather(*query_cache._keeping)
    assert answer.status_code == 503 or answer.json()["complete_above"] == 1.0
    assert kept(server) == []


async def test_an_answer_without_its_total_is_not_kept(
    api: httpx.AsyncClient, server: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("nothing is kept")

    def no_time(*_: Any) -> None:
        return None

    async def ask_counted() -> Any:
        answer = await api.post("/query/patterns", json={"patterns": [["?a", "knows", "?b"]], "count": True})
        await asyncio.gather(*query_cache._keeping)
        return answer.json()["total"]

    await add(api, "Charles")
    monkeypatch.setattr(finding_answers, "_total", no_time)
    assert await ask_counted() is None
    assert kept(server) == []
    monkeypatch.undo()
    assert await ask_counted() == 1
