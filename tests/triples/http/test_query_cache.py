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
