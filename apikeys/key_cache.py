"""Cache of working keys in each process, so that most requests need no query.

A cached row is used for `FRESH_SECONDS` and then read again, so a revocation, a rotation or a new limit takes effect
in every worker within a second. With Valkey the workers are also told of each change (`apikeys.announcements`), and it
takes effect at once.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from time import monotonic

import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError

from apikeys.callers import Caller, Reason, Refusal
from apikeys.keys import same_digest
from apikeys.models import ApiKey
from skg_site.api.addresses import Network
from skg_site.api.problems import Unavailable
from skg_site.api.threads import in_thread

log = structlog.get_logger("skg.keys")

FRESH_SECONDS = 0.75
MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class CachedKey:
    """A key as its row was when it was last read."""

    row_id: int
    caller: Caller
    networks: tuple[Network, ...]
    # Seconds since 1970, infinite for a key that does not expire.
    expires_at: float
    last_used_at: datetime | None
    # The monotonic clock before the row was read: later commits may be missing.
    read_at: float


class KeyCache:
    """Working keys by the digest of their clear text. For use on one event loop.

    A dictionary compares digests in variable time. The timing can reveal bits of a SHA-256 sum only, from which nobody
    can compute a key.
    """

    def __init__(self) -> None:
        self._keys: dict[bytes, CachedKey] = {}
        self._reads: dict[bytes, asyncio.Task[CachedKey | Refusal]] = {}

    def __contains__(self, digest: bytes) -> bool:
        """True if the key worked when it was last read, however long ago."""
        return digest in self._keys

    def fresh(self, digest: bytes) -> CachedKey | None:
        """The key, if its row was read within `FRESH_SECONDS`."""
        key = self._keys.get(digest)
        return key if key is not None and key.read_at > monotonic() - FRESH_SECONDS else None

    async def read(self, digest: bytes, public_id: str | None) -> CachedKey | Refusal:
        """The key as its row is now, found by its public id, or by its digest if it has no public id.

        Requests that need the same key at the same time share one query. Raises `Unavailable` if the row cannot be
        read: no request passes unchecked.
        """
        if (key := self.fresh(digest)) is not None:
            return key
        task = self._reads.get(digest)
        if task is None:
            task = self._reads[digest] = asyncio.create_task(in_thread(_read_row, digest, public_id))
            task.add_done_callback(lambda done: self._keep(digest, done))
        try:
            async with asyncio.timeout(settings.ENV.query_timeout):
                # Other requests share the query, so it goes on if this one is cancelled.
                return await asyncio.shield(task)
        except (AnyDatabaseError, TimeoutError) as error:
            log.warning("keys_unreadable", error=type(error).__name__)
            raise Unavailable("The key cannot be checked now: the database does not answer. Try again.") from error

    def forget(self, public_id: str) -> None:
        """Read the row of this key again at its next use."""
        self._keys = {digest: key for digest, key in self._keys.items() if key.caller.key_id != public_id}
        # Queries under way may have read the old row: no new request waits for them, and their results are dropped.
        self._reads.clear()

    def clear(self) -> None:
        self._keys.clear()

    def _keep(self, digest: bytes, task: asyncio.Task[CachedKey | Refusal]) -> None:
        if self._reads.get(digest) is not task:
            return
        del self._reads[digest]
        if task.cancelled() or task.exception() is not None:
            return
        # Removed first, so that the oldest are at the front.
        self._keys.pop(digest, None)
        found = task.result()
        if isinstance(found, CachedKey):
            while len(self._keys) >= MAX_KEYS:
                del self._keys[next(iter(self._keys))]
            self._keys[digest] = found


key_cache = KeyCache()


def _read_row(digest: bytes, public_id: str | None) -> CachedKey | Refusal:
    read_at = monotonic()
    rows = ApiKey.objects.filter(public_id=public_id) if public_id else ApiKey.objects.filter(digest=digest)
    row = rows.first()
    if row is None or not same_digest(bytes(row.digest), digest):
        return Refusal(Reason.UNKNOWN, public_id)
    if row.revoked_at is not None:
        return Refusal(Reason.REVOKED, row.public_id)
    if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        return Refusal(Reason.EXPIRED, row.public_id)
    return CachedKey(
        row_id=row.id,
        caller=Caller(row.public_id, row.name, frozenset(row.scopes.split()), row.own_rate, row.lineage),
        networks=row.networks,
        expires_at=row.expires_at.timestamp() if row.expires_at else inf,
        last_used_at=row.last_used_at,
        read_at=read_at,
    )
