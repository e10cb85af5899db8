"""Announcements of changed keys, through Valkey to every worker of every host.

Nothing depends on them: a worker reads a key again within a second anyway (`apikeys.key_cache`).
"""

from functools import partial

import structlog
from django.conf import settings
from django.db import transaction

from apikeys.key_cache import key_cache
from skg_site.api.valkey import publish, valkey

log = structlog.get_logger("skg.keys")

CHANNEL = "skg:keys"


def announce(public_id: str) -> None:
    """Announce the change once the transaction is committed."""
    if settings.ENV.redis_url:
        transaction.on_commit(partial(_publish, public_id))


def _publish(public_id: str) -> None:
    if not publish(settings.ENV.redis_url, CHANNEL, public_id):
        log.warning("key_change_not_announced", key_id=public_id, advice="it is effective within a second all the same")


async def follow_announcements() -> None:
    """Remove each changed key from this worker's cache; runs until it is cancelled."""
    await valkey.follow(CHANNEL, key_cache.forget)
