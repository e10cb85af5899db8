"""Before a load and after it: the key is looked at, facts to ask about are read, added ones deleted."""

import orjson
import pytest

from skg_site.ops.loadtest.api_calls import NotAllowed, NotReady, check_key, remove_facts, some_facts
from skg_site.ops.loadtest.client import Client
from tests.skg_site.ops.loadtest.servers import Behave, answer, answering, serving

BOTH = {"read", "write"}
KEY = answer(200, orjson.dumps({"scopes": ["read", "write"]}))
BUSY = answer(503, Retry_After="0")


def page(*ids: int, cursor: str | None = None) -> bytes:
    rows = [{"id": str(id_), "subject": f"s{id_}", "predicate": "p", "object": "o"} for id_ in ids]
    return answer(200, orjson.dumps({"triples": rows, "next_cursor": cursor}))


def client_of(url: str) -> Client:
    return Client(url, "a-key", connections=2, timeout=5)


@pytest.mark.parametrize(
    "behave",
    [
        answering(KEY),
        answering(BUSY, answer(429, Retry_After="0"), KEY),
        # Authentication is turned off.
        answering(answer(404, b'{"request_id": "1"}')),
    ],
)
async def test_a_service_that_may_be_loaded_is_not_objected_to(behave: Behave) -> None:
    async with serving(behave) as url, client_of(url) as client:
        assert await check_key(client, BOTH) is None


@pytest.mark.parametrize(
    ("policy", "limit"),
    [
        ('"default";q=100;w=60', (100, 60)),
        ('"default";q=1;w=0', (1, 1)),
        ("", None),
        ("100;w=60", None),
        ('"default";q=-1;w=60', None),
    ],
)
async def test_the_limit_of_the_key_is_what_its_answer_says(policy: str, limit: tuple[int, int] | None) -> None:
    given = answer(200, orjson.dumps({"scopes": ["read", "write"]}), RateLimit_Policy=policy)
    async with serving(answering(given)) as url, client_of(url) as client:
        assert await check_key(client, BOTH) == limit


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (answer(404, b"<html>"), "no SKG API"),
        (answer(404, b"{}"), "no SKG API"),
        (answer(200, b"[]"), "no SKG API"),
        (answer(200, b"{}"), "no SKG API"),
        (answer(500, b"{}"), "gave 500"),
        (BUSY, "too busy"),
    ],
)
async def test_what_is_no_service_or_not_well_is_not_loaded(given: bytes, told: str) -> None:
    async with serving(answering(given)) as url, client_of(url) as client:
        with pytest.raises(NotReady, match=told):
            await check_key(client, BOTH)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_refused_is_told(status: int) -> None:
    async with serving(answering(answer(status, b"{}"))) as url, client_of(url) as client:
        with pytest.raises(NotAllowed, match="refuses the key"):
            await check_key(client, set())


async def test_facts_are_read_page_by_page() -> None:
    async with serving(answering(page(1, 2, cursor="next"), page(3))) as url, client_of(url) as client:
        assert await some_facts(client) == [("s1", "p", "o"), ("s2", "p", "o"), ("s3", "p", "o")]


async def test_enough_facts_are_enough() -> None:
    async with serving(answering(page(*range(600), cursor="next"))) as url, client_of(url) as client:
        assert len(await some_facts(client)) == 1200


async def test_all_that_was_added_is_deleted_and_what_is_gone_already_is_well_too() -> None:
    told: list[int] = []
    gone, deleted = answer(404, b"{}"), answer(204)
    pages = answering(page(1, 2), deleted, gone, page(3), BUSY, deleted, page())
    async with serving(pages) as url, client_of(url) as client:
        assert await remove_facts(client, "load_test", 1, told.append) == 3
    assert told == [1, 2, 3]


async def test_a_limit_is_waited_for_however_often_it_refuses() -> None:
    refused = [answer(429, Retry_After="0")] * 50
    pages = answering(*refused, page(1), *refused, answer(204), *refused, page())
    async with serving(pages) as url, client_of(url) as client:
        assert await remove_facts(client, "load_test", 1, lambda _removed: None) == 1


async def test_a_service_that_is_away_for_a_while_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skg_site.ops.loadtest.api_calls.PAUSE_SECONDS", 0.01)
    broken = [b"HTTP/1.1 nonsense\r\n\r\n"] * 3
    pages = answering(*broken, *[BUSY] * 20, page(1), *broken, answer(204), page())
    async with serving(pages) as url, client_of(url) as client:
        assert await remove_facts(client, "load_test", 1, lambda _removed: None) == 1


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([BUSY], "too busy"),
        ([answer(500, b"{}")], "GET /triples gave 500"),
        ([page(1, 2, 3), answer(403, b"{}")], "gave 403"),
        ([b"HTTP/1.1 nonsense\r\n\r\n"], "connection broken"),
    ],
)
async def test_facts_that_cannot_be_deleted_are_a_sentence(
    answers: list[bytes], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skg_site.ops.loadtest.api_calls.PATIENCE_SECONDS", 0)
    async with serving(answering(*answers)) as url, client_of(url) as client:
        with pytest.raises(NotReady, match=told):
            await remove_facts(client, "load_test", 2, lambda _removed: None)
