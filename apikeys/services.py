"""Use cases of keys: issue, rotate, revoke, change. Each change and its event are committed together.

`actor` names the one who makes the change, such as `user admin` or `key 4Xk0vT2a`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from apikeys.announcements import announce
from apikeys.audit import log, record_event
from apikeys.cleaning import clean_name, clean_networks, clean_rate
from apikeys.delegation import require_within
from apikeys.keys import NewKey, configured_digest, make_key, make_public_id
from apikeys.models import ApiKey, Kind, Origin, State
from apikeys.scopes import ALL_SCOPES, scope_text
from skg_site.host.write_lock import locked_transaction

DEFAULT_GRACE = timedelta(days=1)
MAX_GRACE = timedelta(days=90)


class NotRotatable(Exception):
    """The key has been replaced or no longer works; the message is a sentence with the reason."""


class IssuedKey(NamedTuple):
    """A stored key and its clear text, which is shown once."""

    key: ApiKey
    clear_text: str


class ReplacedLineage(NamedTuple):
    """The one key of a lineage that still works, and those that worked before."""

    issued: IssuedKey
    ended: list[ApiKey]


def key_issue(
    *,
    name: str,
    scopes: Iterable[str],
    actor: str,
    expires_at: datetime | None = None,
    rate: str = "",
    allowed_networks: str = "",
    issuer: ApiKey | None = None,
) -> IssuedKey:
    """Make a key; ValueError names the faulty input.

    The expiry and the networks default to those of the issuing key, the `issuer`. Raises `BeyondIssuer` if the new key
    would be allowed more than that.
    """
    if expires_at is not None and expires_at <= timezone.now():
        raise ValueError("the expiry must lie in the future")
    if issuer is not None:
        expires_at, allowed_networks = expires_at or issuer.expires_at, allowed_networks or issuer.allowed_networks
    key = ApiKey(
        name=clean_name(name),
        scopes=scope_text(scopes),
        expires_at=expires_at,
        rate=clean_rate(rate),
        allowed_networks=clean_networks(allowed_networks),
    )
    _require_within(issuer, key)
    with locked_transaction():
        clear_text = _store(key)
        record_event(key, Kind.ISSUED, actor, scopes=key.scopes)
    return IssuedKey(key, clear_text)


def key_rotate(
    *,
    key: ApiKey,
    actor: str,
    grace: timedelta = DEFAULT_GRACE,
    made: NewKey | None = None,
    issuer: ApiKey | None = None,
) -> IssuedKey:
    """Make a successor with the same scopes; both keys work until the grace period ends.

    The successor has the expiry of the key: a key cannot extend its own life. `made` is a key made in advance. Raises
    `NotRotatable`, and `BeyondIssuer` if the key that asks, the `issuer`, is allowed less.
    """
    _check_grace(grace)
    with locked_transaction():
        old = _locked(key)
        _require_within(issuer, old)
        return _succeed(old, grace, actor, made)


def lineage_replace(
    *, key: ApiKey, actor: str, grace: timedelta = timedelta(0), made: NewKey | None = None
) -> ReplacedLineage:
    """Replace a leaked key: make a successor of the last key in its lineage, and end all others.

    Without grace they are revoked. Raises `NotRotatable` if the last key no longer works.
    """
    _check_grace(grace)
    with locked_transaction():
        lineage = list(ApiKey.objects.select_for_update().filter(lineage=key.lineage).order_by("id"))
        ended = [old for old in lineage if old.state in {State.ACTIVE, State.ROTATING}]
        try:
            issued = _succeed(lineage[-1], grace, actor, made)
        except NotRotatable as error:
            left = ", ".join(old.public_id for old in ended)
            raise NotRotatable(f"{error} Of its row, these still work and can be revoked: {left or 'none'}.") from None
        for old in ended:
            _end(old, grace, actor)
    return ReplacedLineage(issued, ended)


def key_revoke(*, key: ApiKey, actor: str) -> ApiKey:
    """End the key for good; one that is revoked already stays as it is."""
    with locked_transaction():
        stored = _locked(key)
        if stored.revoked_at is None:
            stored.revoked_at = timezone.now()
            stored.save(update_fields=["revoked_at"])
            announce(stored.public_id)
            record_event(stored, Kind.REVOKED, actor)
    return stored


def key_change(*, key: ApiKey, actor: str, name: str, rate: str, allowed_networks: str) -> ApiKey:
    """Change the members that can change while a key is in use; ValueError names the faulty input."""
    wanted = {
        "name": clean_name(name),
        "rate": clean_rate(rate),
        "allowed_networks": clean_networks(allowed_networks),
    }
    with locked_transaction():
        stored = _locked(key)
        changes = {
            field: [getattr(stored, field), value] for field, value in wanted.items() if getattr(stored, field) != value
        }
        if changes:
            for field, (_, value) in changes.items():
                setattr(stored, field, value)
            stored.save(update_fields=list(changes))
            announce(stored.public_id)
            record_event(stored, Kind.CHANGED, actor, changes=changes)
    return stored


def adopt_configured_key(key_hash: str) -> None:
    """Give the key of SKG_API_KEY_HASH a row. Every worker calls this when it starts.

    The key gets every scope; its clear text is never seen here. Once it has been revoked or rotated it stays so,
    whatever the setting says.
    """
    digest = configured_digest(key_hash)
    if digest is None:
        return
    key = ApiKey.objects.filter(digest=digest).first() or _adopt(digest)
    if key.state in {State.REVOKED, State.EXPIRED}:
        log.warning("configured_key_does_not_work", key_id=key.public_id, state=key.state.value)


def _adopt(digest: bytes) -> ApiKey:
    # Random, since logs have it: a part of the digest would confirm a guess at a weak key.
    public_id = make_public_id()
    with locked_transaction():
        key, created = ApiKey.objects.get_or_create(
            digest=digest,
            defaults={
                "public_id": public_id,
                "lineage": public_id,
                "name": "SKG_API_KEY_HASH",
                "environment": settings.ENV.environment,
                "origin": Origin.SETTINGS,
                "scopes": scope_text(ALL_SCOPES),
            },
        )
        if created:
            record_event(key, Kind.ADOPTED, "settings", scopes=key.scopes)
    return key


def _succeed(old: ApiKey, grace: timedelta, actor: str, made: NewKey | None) -> IssuedKey:
    _check_rotatable(old)
    new = ApiKey(
        name=old.name,
        scopes=old.scopes,
        expires_at=old.expires_at,
        rate=old.rate,
        allowed_networks=old.allowed_networks,
        rotated_from=old,
        lineage=old.lineage,
    )
    clear_text = _store(new, made)
    grace_end = timezone.now() + grace
    old.expires_at = min(old.expires_at or grace_end, grace_end)
    old.save(update_fields=["expires_at"])
    announce(old.public_id)
    works_until = f"{old.expires_at:%Y-%m-%dT%H:%M:%SZ}"
    record_event(old, Kind.ROTATED, actor, successor=new.public_id, works_until=works_until)
    record_event(new, Kind.ISSUED, actor, scopes=new.scopes, rotated_from=old.public_id)
    return IssuedKey(new, clear_text)


def _end(old: ApiKey, grace: timedelta, actor: str) -> None:
    """Revoke a key that has a successor, or shorten its grace period."""
    announce(old.public_id)
    if not grace:
        old.revoked_at = timezone.now()
        old.save(update_fields=["revoked_at"])
        record_event(old, Kind.REVOKED, actor)
        return
    before, end = old.expires_at, timezone.now() + grace
    if before is None or before > end:
        old.expires_at = end
        old.save(update_fields=["expires_at"])
        changes = {"expires_at": [before and before.isoformat(), end.isoformat()]}
        record_event(old, Kind.CHANGED, actor, changes=changes)


def _store(key: ApiKey, made: NewKey | None = None) -> str:
    """Give the key an identity and a secret, insert it, and return the clear text."""
    made = made or make_key(settings.ENV.environment)
    key.environment = settings.ENV.environment
    key.public_id = made.public_id
    key.digest = made.digest
    key.lineage = key.lineage or made.public_id
    key.save(force_insert=True)
    return made.clear_text


def _require_within(issuer: ApiKey | None, key: ApiKey) -> None:
    if issuer is not None:
        require_within(issuer, scopes=key.scopes.split(), expires_at=key.expires_at, networks=key.networks)


def _check_grace(grace: timedelta) -> None:
    if not timedelta(0) <= grace <= MAX_GRACE:
        raise ValueError(f"the grace period must be between 0 and {MAX_GRACE.days} days")


def _locked(key: ApiKey) -> ApiKey:
    """The stored key, locked until the transaction ends."""
    return ApiKey.objects.select_for_update().get(pk=key.pk)


def _check_rotatable(key: ApiKey) -> None:
    match key.state:
        case State.REVOKED:
            raise NotRotatable(f"The key {key.public_id} has been revoked.")
        case State.EXPIRED:
            raise NotRotatable(f"The key {key.public_id} has expired.")
        case State.ROTATING:
            raise NotRotatable(f"The key {key.public_id} has been rotated already.")
