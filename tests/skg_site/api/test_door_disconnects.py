"""A client that goes away stops the work that is done for it."""

import asyncio
from typing import Any

import pytest
from structlog.typing import EventDict

from skg_site.api.door import APIDoor
from tests.skg_site.api.door_urls import Happenings
from tests.support.asgi import Exchange, http_scope


@pytest.fixture
async def slow(door: APIDoor, happenings: Happenings) -> Exchange:
    """A request to a view that waits, which has begun."""
    one = Exchange(door, http_scope(path="/slow"))
    one.arrive(b"")
    await happenings.started.wait()
    return one


async def test_a_view_is_cancelled_and_nothing_is_answered(
    slow: Exchange, happenings: Happenings, log: list[EventDict]
) -> None:
    slow.disconnect()
    await slow.finish()
    assert happenings.outcome == "cancelled"
    assert slow.sent == []
    [line] = log
    assert (line["event"], line["status"], line["endpoint"]) == ("request", 499, "/slow")


async def test_a_client_that_waits_gets_its_answer(slow: Exchange, happenings: Happenings) -> None:
    await slow.listening.wait()
    happenings.release.set()
    await slow.finish()
    assert (slow.status, happenings.outcome) == (200, "answered")
    # Nobody is left listening to a connection that serves other requests now.
    await slow.idle.wait()


async def test_another_message_is_no_disconnection(slow: Exchange, happenings: Happenings) -> None:
    await slow.listening.wait()
    slow.arrive(b"")
    await slow.idle.wait()
    happenings.release.set()
    await slow.finish()
    assert slow.status == 200


async def test_a_quick_request_is_not_watched(door: APIDoor) -> None:
    one = Exchange(door, http_scope(path="/echo"))
    one.arrive(b"")
    one.disconnect()
    await one.finish()
    assert one.status == 200


async def test_a_server_that_stops_cancels_its_requests(slow: Exchange, happenings: Happenings) -> None:
    slow.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow.task
    assert happenings.outcome == "cancelled"


async def test_a_disconnection_cancels_no_more_than_the_request(door: APIDoor, happenings: Happenings) -> None:
    async def serve_and_go_on(scope: Any, receive: Any, send: Any) -> None:
        await door(scope, receive, send)
        await asyncio.sleep(0)

    one = Exchange(serve_and_go_on, http_scope(path="/slow"))
    one.arrive(b"")
    await happenings.started.wait()
    one.disconnect()
    await one.finish()
    assert one.task.cancelling() == 0
