"""How the door reads bodies: in pieces, up to a size, and not for ever."""

import asyncio
from collections.abc import Sequence

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from skg_site.api.door import APIDoor
from tests.skg_site.api.door_urls import Happenings
from tests.support.asgi import Exchange, exchange, http_scope

LIMIT = 1024


@pytest.fixture(autouse=True)
def small_limits(settings: Settings) -> None:
    settings.ENV = django_settings.ENV.model_copy(update={"max_body_bytes": LIMIT, "body_timeout": 30})


@pytest.mark.parametrize(
    "pieces", [[b"abc"], [b""], [b"a", b"bc", b"def"], [b"", b"abc", b""], [b"x"] * 100, [b"x" * (LIMIT - 1), b"y"]]
)
async def test_a_body_arrives_whole_in_whatever_pieces(door: APIDoor, pieces: Sequence[bytes]) -> None:
    one = Exchange(door, http_scope("POST", "/echo"))
    for piece in pieces[:-1]:
        one.arrive(piece, more=True)
        await asyncio.sleep(0)
    one.arrive(pieces[-1])
    await one.finish()
    assert one.content["body"].encode("latin-1") == b"".join(pieces)


async def test_a_body_that_takes_its_time_loses_no_piece(door: APIDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the client were slow enough for the door to begin looking out for its disconnection.
    monkeypatch.setattr("skg_site.api.bodies.ROUND_SECONDS", 0)
    one = Exchange(door, http_scope("POST", "/echo"))
    for piece in (b"a", b"b", b"c"):
        await passing_time()
        one.arrive(piece, more=True)
    await passing_time()
    one.arrive(b"d")
    assert (await one.finish()).content["body"] == "abcd"


async def passing_time() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_message_may_leave_out_what_is_empty(door: APIDoor) -> None:
    one = Exchange(door, http_scope("POST", "/echo"))
    one.send({"type": "http.request"})
    assert (await one.finish()).content["body"] == ""


@pytest.mark.parametrize("length", [b"1025", b"9" * 18, b"9" * 5000])
async def test_a_body_that_is_declared_too_large_is_refused_unread(door: APIDoor, length: bytes) -> None:
    one = Exchange(door, http_scope("POST", "/echo", headers=[(b"content-length", length)]))
    await one.finish()
    assert (one.status, one.headers["connection"]) == (413, "close")
    assert one.content["detail"] == "The body is larger than 1,024 bytes."


async def test_a_body_of_just_the_limit_is_read(door: APIDoor) -> None:
    one = await exchange(door, http_scope("POST", "/echo", headers=[(b"content-length", b"%d" % LIMIT)]), b"x" * LIMIT)
    assert one.status == 200


@pytest.mark.parametrize("declared", [[], [(b"content-length", b"3")], [(b"transfer-encoding", b"chunked")]])
async def test_a_body_that_grows_too_large_is_refused_at_once(
    door: APIDoor, declared: list[tuple[bytes, bytes]]
) -> None:
    whole = await exchange(door, http_scope("POST", "/echo", headers=declared), b"x" * (LIMIT + 1))
    assert whole.status == 413
    streamed = Exchange(door, http_scope("POST", "/echo", headers=declared))
    for _ in range(5):
        streamed.arrive(b"x" * 256, more=True)
    await streamed.finish()
    assert (streamed.status, streamed.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("arriving", [[], [b"a"], [b"a", b"b"]])
async def test_a_body_that_does_not_arrive_in_time_is_given_up(
    door: APIDoor, settings: Settings, arriving: list[bytes]
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"body_timeout": 0.05})
    one = Exchange(door, http_scope("POST", "/echo"))
    for piece in arriving:
        one.arrive(piece, more=True)
    await one.finish()
    assert (one.status, one.headers["connection"]) == (408, "close")
    assert one.content["detail"] == "The body did not arrive within 0.05 seconds."


@pytest.mark.parametrize("arriving", [[], [b"a"], [b"a", b"b"]])
async def test_a_client_that_goes_away_before_its_body_is_whole_gets_no_answer(
    door: APIDoor, happenings: Happenings, arriving: list[bytes]
) -> None:
    one = Exchange(door, http_scope("POST", "/slow"))
    for piece in arriving:
        one.arrive(piece, more=True)
    one.disconnect()
    await one.finish()
    assert one.sent == []
    assert not happenings.started.is_set()


@pytest.mark.parametrize("path", ["/echo", "/nothing"])
async def test_a_length_given_twice_is_a_bad_request(door: APIDoor, path: str) -> None:
    lengths = [(b"content-length", b"1"), (b"content-length", b"2")]
    one = await exchange(door, http_scope("POST", path, headers=lengths), b"x")
    assert one.status == (404 if path == "/nothing" else 400)
