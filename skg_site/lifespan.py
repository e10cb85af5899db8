"""What a worker does before its first request and after its last."""

import asyncio
import gc

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from apikeys.announcements import follow_announcements
from apikeys.services import adopt_configured_key
from skg_site import lone_host
from skg_site.api.door import Receive, Send
from skg_site.api.valkey import valkey
from skg_site.sampling import sample_forever
from triples.store.graph import graph

log = structlog.get_logger("skg.lifespan")


async def lifespan(receive: Receive, send: Send) -> None:
    """The ASGI lifespan protocol: start up, wait, shut down."""
    await receive()
    try:
        await asyncio.to_thread(lone_host.claim)
    except lone_host.Occupied as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    if settings.ENV.redis_url:
        valkey.open(settings.ENV.redis_url)
    await sync_to_async(_start)()
    tasks = [asyncio.create_task(sample_forever()), asyncio.create_task(lone_host.hold())]
    if settings.ENV.redis_url:
        tasks.append(asyncio.create_task(follow_announcements()))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for task in tasks:
        task.cancel()
    await valkey.close()
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
