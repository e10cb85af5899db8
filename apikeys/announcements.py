"""Tells every worker of every host that a key has changed, so that none goes on with what it knew.

Nothing depends on it being heard: what a worker knows of a key holds for less than a second by itself
(`apikeys.key_cache`).
"""

from functools import partial

import structlog
from django.conf import settings
from django.db import transaction

from apikeys.authentication import known_keys
from skg_site.api.valkey import publish, valkey

log = structlog.get_logger("skg.keys")

CHANNEL = "skg:keys"


def announce(public_id: str) -> None:
    """Tell everybody, once the transaction is committed."""
    if settings.ENV.redis_url:
        transaction.on_commit(partial(_publish, public_id))


def _publish(public_id: str) -> None:
    if not publish(settings.ENV.redis_url, CHANNEL, public_id):
        log.warning("key_change_not_announced", key_id=public_id, advice="it is effective within a second all the same")


async def follow_announcements() -> None:
    """Forget what this worker knows of each key that changes, for as long as it runs."""
    await valkey.follow(CHANNEL, known_keys.forget)
