"""What a worker does before its first request and after its last."""

import asyncio
import gc

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from apikeys.services import adopt_configured_key
from skg_site.api.door import Receive, Send
from triples.metrics import sample_forever
from triples.store.graph import graph

log = structlog.get_logger("skg.lifespan")


async def lifespan(receive: Receive, send: Send) -> None:
    """The ASGI lifespan protocol: start up, wait, shut down."""
    await receive()
    await sync_to_async(_start)()
    sampler = asyncio.create_task(sample_forever())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    sampler.cancel()
    await sync_to_async(graph.close)()
    await send({"type": "lifespan.shutdown.complete"})


def _start() -> None:
    # What was loaded by now lives as long as the worker; looking through it for garbage, again and again
    # under load, would cost a twentieth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    if not settings.ENV.enable_auth:
        log.warning("authentication_is_off", advice="SKG_ENABLE_AUTH=false lets anybody read and write")
    try:
        adopt_configured_key(settings.ENV.api_key_hash)
    except DatabaseError as error:
        # Not migrated yet, or not reachable yet: /ready says so, and the next start adopts the key.
        log.warning("configured_key_not_adopted", error=str(error))
