"""The work of a worker before its first request and after its last."""

import asyncio
import gc

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from apikeys.announcements import follow_announcements
from apikeys.services import adopt_configured_key
from skg_site.api.asgi_types import Receive, Send
from skg_site.api.valkey import valkey
from skg_site.host import lone_host
from skg_site.host.clock import clock_fault
from skg_site.host.unfit_database import UnfitDatabase
from skg_site.observe.probes import schema_fault
from skg_site.server.gauge_sampling import sample_forever
from triples.services.graph import graph
from triples.store.backend import backend

log = structlog.get_logger("skg.lifespan")


async def lifespan(receive: Receive, send: Send) -> None:
    """The ASGI lifespan protocol: start up, wait, shut down."""
    await receive()
    if fault := clock_fault():
        await send({"type": "lifespan.startup.failed", "message": fault})
        return
    try:
        await asyncio.to_thread(_claim)
    except (lone_host.Occupied, UnfitDatabase) as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    if settings.ENV.redis_url:
        valkey.open(settings.ENV.redis_url)
    await sync_to_async(_start)()
    tasks = [asyncio.create_task(work) for work in (sample_forever(), lone_host.hold(), backend().serving.watch())]
    if settings.ENV.redis_url:
        tasks.append(asyncio.create_task(follow_announcements()))
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for task in tasks:
        task.cancel()
    await valkey.close()
    await sync_to_async(graph.close)()
    backend().serving.end()
    await send({"type": "lifespan.shutdown.complete"})


def _claim() -> None:
    """Claim the database. Raises, with a sentence for the operator, if this host or code must not serve it."""
    lone_host.claim()
    backend().serving.begin()


def _start() -> None:
    # Whatever is loaded by now lives as long as the worker. Searching it for garbage, again and again under load, would
    # cost a twentieth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    if not settings.ENV.enable_auth:
        log.warning("authentication_is_off", advice="SKG_ENABLE_AUTH=false lets anybody read and write")
    try:
        adopt_configured_key(settings.ENV.api_key_hash)
        if (fault := schema_fault()) is not None:
            log.error("schema_does_not_fit", advice=fault)
    except DatabaseError as error:
        # Not migrated yet, or not reachable yet: /ready says so, and the next start adopts the key.
        log.warning("configured_key_not_adopted", error=str(error))
