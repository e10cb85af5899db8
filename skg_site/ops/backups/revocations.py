"""Keys that a restore would revive: they worked when the backup was made, and have been ended since."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from apikeys.audit import record_event
from apikeys.models import ApiKey, Kind
from skg_site.host.write_lock import locked_transaction
from triples.store.backups.databases import Scratch
from triples.store.backups.failures import BackupFailure

ACTOR = "restore"

_REVOKE = "UPDATE apikeys_apikey SET revoked_at = %s WHERE public_id = %s AND revoked_at IS NULL"
_EXPIRE = (
    "UPDATE apikeys_apikey SET expires_at = %s"
    " WHERE public_id = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)"
)


class End(NamedTuple):
    """The time at which a key was revoked or expires; a rotated key expires with its grace period."""

    public_id: str
    revoked_at: datetime | None
    expires_at: datetime | None


def present_ends(*, required: bool) -> list[End]:
    """The ends of the keys of the database that is to be replaced; none if it cannot be read.

    Raises BackupFailure if it cannot be read and they are `required`.
    """
    try:
        ended = ApiKey.objects.filter(Q(revoked_at__isnull=False) | Q(expires_at__isnull=False))
        return [End(*row) for row in ended.values_list("public_id", "revoked_at", "expires_at")]
    except DatabaseError as error:
        if required:
            raise BackupFailure(
                f"The present database cannot be read ({error}), so nobody can tell which keys were revoked. "
                "Without --keep-revocations the backup is restored as it is."
            ) from error
        return []
    finally:
        connection.close()


def keep_ends(scratch: Scratch, ends: Sequence[End]) -> list[str]:
    """End these keys in a restored backup before it takes the database's place. Returns the ids of those it revived."""
    adapted = connection.ops.adapt_datetimefield_value
    kept = []
    for end in ends:
        revoked = end.revoked_at is not None and scratch.update(_REVOKE, [adapted(end.revoked_at), end.public_id])
        expiry = adapted(end.expires_at)
        expired = not revoked and expiry is not None and scratch.update(_EXPIRE, [expiry, end.public_id, expiry])
        if revoked or expired:
            kept.append(end.public_id)
    return kept


def record_kept(public_ids: Sequence[str]) -> list[str]:
    """Record an event for each key that `keep_ends` has ended. Returns their names."""
    with locked_transaction():
        keys = list(ApiKey.objects.filter(public_id__in=public_ids).order_by("id"))
        for key in keys:
            expires_at = key.expires_at and key.expires_at.isoformat()
            if key.revoked_at is not None:
                record_event(key, Kind.REVOKED, ACTOR)
            else:
                record_event(key, Kind.CHANGED, ACTOR, changes={"expires_at": [None, expires_at]})
    return [str(key) for key in keys]


def revived(ends: Sequence[End]) -> list[str]:
    """The names of the keys that work now, but had ended, or would have ended sooner, before the restore."""
    known = {end.public_id: end for end in ends}
    working = ApiKey.objects.working(timezone.now()).filter(public_id__in=known).order_by("id")
    return [str(key) for key in working if _ended_sooner(known[key.public_id], key)]


def _ended_sooner(end: End, key: ApiKey) -> bool:
    if end.revoked_at is not None:
        return True
    return end.expires_at is not None and (key.expires_at is None or key.expires_at > end.expires_at)
