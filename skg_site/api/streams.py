"""Answers that are sent piece by piece, as they are made."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from typing import Any

import structlog
from django.http import StreamingHttpResponse

from skg_site.api.asgi_types import Receive, Send
from skg_site.api.problems import BadRequest
from skg_site.api.request import APIRequest

log = structlog.get_logger("skg.api")

# A client that does not take a piece within this time is not waited for.
PIECE_SECONDS = 15.0


class BrokenStream(Exception):
    """The answer cannot be completed. The message says why, for the log."""


class StreamedAnswer(StreamingHttpResponse):
    """An answer in pieces. The generator has begun already, so that it ends by itself if nobody takes the rest."""

    def __init__(self, pieces: AsyncGenerator[bytes], content_type: str, headers: dict[str, str]) -> None:
        super().__init__((), content_type=content_type, headers=headers)
        self.pieces = pieces


def require_chunks(request: APIRequest) -> None:
    """Refuse a client to which the end of a stream could not be told from its breaking off."""
    if request.scope["http_version"] == "1.0":
        raise BadRequest("This answer has no length that is known beforehand, so it takes HTTP/1.1.")


async def send_pieces(response: StreamedAnswer, request: APIRequest, send: Send) -> None:
    """Send the body of a streamed answer. One that breaks gets no end, so the client sees that it is not complete."""
    gone = asyncio.create_task(_disconnected(request.receive))
    try:
        while (piece := await _unless(gone, _next(response.pieces))) is not None:
            await asyncio.wait_for(
                send({"type": "http.response.body", "body": piece, "more_body": True}), PIECE_SECONDS
            )
        await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        log.warning("stream_broken", request_id=request.request_id, reason="the client hardly reads")
    except BrokenStream as reason:
        log.warning("stream_broken", request_id=request.request_id, reason=str(reason))
    except Gone:
        log.info("stream_left", request_id=request.request_id)
    finally:
        gone.cancel()
        await response.pieces.aclose()


class Gone(Exception):
    """The client has disconnected."""


async def _next(pieces: AsyncGenerator[bytes]) -> bytes | None:
    return await anext(pieces, None)


async def _unless(gone: asyncio.Task[None], work: Coroutine[Any, Any, bytes | None]) -> bytes | None:
    """The result of the work. Raises Gone if the client disconnects before."""
    task = asyncio.create_task(work)
    await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    if task.done() and not gone.done():
        return task.result()
    task.cancel()
    with suppress(asyncio.CancelledError, StopAsyncIteration, BrokenStream):
        await task
    raise Gone


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
