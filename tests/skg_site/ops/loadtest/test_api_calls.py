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


def deleted(facts: int, cursor: str | None = None) -> bytes:
    return answer(200, orjson.dumps({"facts": facts, "complete": cursor is None, "next_cursor": cursor}))


async def test_all_that_was_added_is_deleted_in_as_many_requests_as_it_takes() -> None:
    told: list[int] = []
    async with serving(answering(deleted(200, "next"), BUSY, deleted(100))) as url, client_of(url) as client:
        await remove_facts(client, "load_test", told.append)
    assert told == [200, 300]


@pytest.mark.parametrize(
    "refusals",
    [[answer(429, Retry_After="0")] * 50, [*[b"HTTP/1.1 nonsense\r\n\r\n"] * 3, *[BUSY] * 20]],
    ids=["a limit, however often it refuses", "a service that is away for a while"],
)
async def test_what_passes_is_waited_for(refusals: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skg_site.ops.loadtest.api_calls.PAUSE_SECONDS", 0.01)
    told: list[int] = []
    answers = answering(*refusals, deleted(1, "next"), *refusals, deleted(1))
    async with serving(answers) as url, client_of(url) as client:
        await remove_facts(client, "load_test", told.append)
    assert told == [1, 2]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([BUSY], "too busy"),
        ([answer(500, b"{}")], "POST /triples/delete gave 500"),
        ([deleted(3, "next"), answer(403, b"{}")], "gave 403"),
        ([b"HTTP/1.1 nonsense\r\n\r\n"], "connection broken"),
    ],
)
async def test_facts_that_cannot_be_deleted_are_a_sentence(
    answers: list[bytes], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skg_site.ops.loadtest.api_calls.PATIENCE_SECONDS", 0)
    async with serving(answering(*answers)) as url, client_of(url) as client:
        with pytest.raises(NotReady, match=told):
            await remove_facts(client, "load_test", lambda _removed: None)
