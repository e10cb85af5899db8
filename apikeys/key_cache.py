"""Keys that this process has seen to be good, so that a request need not ask the database.

What was read from a row holds for `FRESH_SECONDS`, then the row is read again; so a revocation, a rotation
or a new limit is effective in every worker within a second, with nothing to be told to anybody. Where there is a
Valkey, workers are told all the same (`apikeys.announcements`), and it is effective at once.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from time import monotonic

import structlog
from django.conf import settings
from django.db import Error as AnyDatabaseError

from apikeys.callers import Caller
from apikeys.keys import same_digest
from apikeys.models import ApiKey
from apikeys.refusals import Reason, Refusal
from skg_site.api.addresses import Network
from skg_site.api.problems import Unavailable
from skg_site.api.threads import in_thread

log = structlog.get_logger("skg.keys")

FRESH_SECONDS = 0.75
MAX_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What a key's row said when it was last read."""

    row_id: int
    caller: Caller
    networks: tuple[Network, ...]
    # Seconds since 1970, infinite for a key that does not expire.
    expires_at: float
    last_used_at: datetime | None
    # By the monotonic clock, before the row was read: whatever was committed later may not be in it.
    read_at: float


class KnownKeys:
    """Good keys by the digest of their clear text. For use on one event loop.

    A dictionary finds a digest by an unkeyed comparison, but what a caller could learn from its timing are bits of
    a SHA-256 sum that he cannot turn back into a key.
    """

    def __init__(self) -> None:
        self._keys: dict[bytes, KnownKey] = {}
        self._reads: dict[bytes, asyncio.Task[KnownKey | Refusal]] = {}

    def __contains__(self, digest: bytes) -> bool:
        """Whether the key was good when it was last read, however long ago."""
        return digest in self._keys

    def fresh(self, digest: bytes) -> KnownKey | None:
        """The key, if its row was read a moment ago."""
        key = self._keys.get(digest)
        return key if key is not None and key.read_at > monotonic() - FRESH_SECONDS else None

    async def read(self, digest: bytes, public_id: str | None) -> KnownKey | Refusal:
        """The key as its row says now, by its public id, or by its digest where it has none to go by.

        Requests that ask for the same key at once share one look-up, and so do those that come a moment later.
        Raises `Unavailable` when the row cannot be read: nobody is let in unseen.
        """
        if (key := self.fresh(digest)) is not None:
            return key
        task = self._reads.get(digest)
        if task is None:
            task = self._reads[digest] = asyncio.create_task(in_thread(_read_row, digest, public_id))
            task.add_done_callback(lambda done: self._keep(digest, done))
        try:
            async with asyncio.timeout(settings.ENV.query_timeout):
                # The look-up serves others too, and goes on when this request's client goes away.
                return await asyncio.shield(task)
        except (AnyDatabaseError, TimeoutError) as error:
            log.warning("keys_unreadable", error=type(error).__name__)
            raise Unavailable("The key cannot be checked now: the database does not answer. Try again.") from error

    def forget(self, public_id: str) -> None:
        """Read this key's row again before it is used again."""
        self._keys = {digest: key for digest, key in self._keys.items() if key.caller.key_id != public_id}
        # Reads that are under way may have seen the row as it was: nobody new waits for them, and nobody keeps them.
        self._reads.clear()

    def clear(self) -> None:
        self._keys.clear()

    def _keep(self, digest: bytes, task: asyncio.Task[KnownKey | Refusal]) -> None:
        if self._reads.get(digest) is not task:
            return
        del self._reads[digest]
        if task.cancelled() or task.exception() is not None:
            return
        # Taken out first, so that those at the front were read longest ago.
        self._keys.pop(digest, None)
        found = task.result()
        if isinstance(found, KnownKey):
            while len(self._keys) >= MAX_KNOWN:
                del self._keys[next(iter(self._keys))]
            self._keys[digest] = found


def _read_row(digest: bytes, public_id: str | None) -> KnownKey | Refusal:
    read_at = monotonic()
    rows = ApiKey.objects.filter(public_id=public_id) if public_id else ApiKey.objects.filter(digest=digest)
    row = rows.first()
    if row is None or not same_digest(bytes(row.digest), digest):
        return Refusal(Reason.UNKNOWN, public_id)
    if row.revoked_at is not None:
        return Refusal(Reason.REVOKED, row.public_id)
    if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        return Refusal(Reason.EXPIRED, row.public_id)
    return KnownKey(
        row_id=row.id,
        caller=Caller(row.public_id, row.name, frozenset(row.scopes.split()), row.own_rate, row.lineage),
        networks=row.networks,
        expires_at=row.expires_at.timestamp() if row.expires_at else inf,
        last_used_at=row.last_used_at,
        read_at=read_at,
    )
