"""The time of the last use of each key, to the minute. No request waits for it to be written."""

import asyncio
from collections.abc import Collection
from contextvars import Context
from datetime import UTC, datetime

import structlog
from django.db import Error as AnyDatabaseError
from django.db.models import Q

from apikeys.key_cache import CachedKey
from apikeys.models import ApiKey
from skg_site.api.threads import in_thread
from skg_site.host.write_lock import locked_transaction

log = structlog.get_logger("skg.keys")


class LastUsed:
    """Collects uses and writes each key at most once a minute, many in one statement. For use on one event loop."""

    def __init__(self) -> None:
        self._minute = datetime.min.replace(tzinfo=UTC)
        self._noted: set[int] = set()
        self._pending: set[int] = set()
        self._writing: asyncio.Task[None] | None = None

    def note(self, key: CachedKey) -> None:
        """Record that the key is used now, unless its row or this process has this minute already."""
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute = minute
            self._noted.clear()
        if key.row_id in self._noted or (key.last_used_at is not None and key.last_used_at >= minute):
            return
        self._noted.add(key.row_id)
        self._pending.add(key.row_id)
        if self._writing is None or self._writing.done():
            # The task serves many requests, so it belongs to the trace of none.
            self._writing = asyncio.create_task(self._write(), context=Context())

    async def _write(self) -> None:
        while self._pending:
            row_ids, self._pending = self._pending, set()
            try:
                await in_thread(_move_forward, row_ids, self._minute)
            except (AnyDatabaseError, OSError) as error:
                log.warning("last_used_not_written", keys=len(row_ids), error=str(error))


last_used = LastUsed()


def _move_forward(row_ids: Collection[int], minute: datetime) -> None:
    with locked_transaction():
        ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=minute), id__in=row_ids).update(
            last_used_at=minute
        )
