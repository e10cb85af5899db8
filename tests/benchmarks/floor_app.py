"""An ASGI application of as many of the service's parts as the environment says, which answers `POST /query`."""

import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from tests.benchmarks.floor_steps import VARIABLE, Step, has

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

BODY = b'{"results":[],"total":0}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def bare(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """The least that an ASGI application can do."""
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


def _composed(step: Step) -> Application:
    if step is Step.UVICORN:
        # Django is not even loaded.
        return bare
    from skg_site import asgi  # noqa: F401  # sets Django up, which the service's worker needs too

    if step is Step.WORKER:
        return bare
    from django.test import override_settings

    from skg_site.api.door import APIDoor
    from skg_site.server.lifespan import lifespan

    middleware = ["skg_site.observe.request_log.RequestRecord"] if has(step, Step.METRICS) else []
    with override_settings(API_MIDDLEWARE=middleware):
        door = APIDoor("tests.benchmarks.floor_urls")

    async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await (door(scope, receive, send) if scope["type"] == "http" else lifespan(receive, send))

    return application


application = _composed(Step(os.environ[VARIABLE]))
