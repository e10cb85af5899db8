"""What a worker does before its first request and after its last."""

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from apikeys.services import adopt_configured_key
from skg_site.api.door import Receive, Send
from triples.store.graph import graph

log = structlog.get_logger("skg.lifespan")


async def lifespan(receive: Receive, send: Send) -> None:
    """The ASGI lifespan protocol: start up, wait, shut down."""
    await receive()
    await sync_to_async(_start)()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await sync_to_async(graph.close)()
    await send({"type": "lifespan.shutdown.complete"})


def _start() -> None:
    if not settings.ENV.enable_auth:
        log.warning("authentication_is_off", advice="SKG_ENABLE_AUTH=false lets anybody read and write")
    try:
        adopt_configured_key(settings.ENV.api_key_hash)
    except DatabaseError as error:
        # Not migrated yet, or not reachable yet: /ready says so, and the next start adopts the key.
        log.warning("configured_key_not_adopted", error=str(error))
