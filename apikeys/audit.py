"""The audit trail of keys: rows of events and lines of the log. None of them holds a key or a part of its secret."""

from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import transaction

from apikeys.metrics import FAILURES
from apikeys.models import ApiKey, KeyEvent, Kind
from skg_site.api.request import APIRequest
from skg_site.host.write_lock import locked_transaction

log = structlog.get_logger("skg.keys")

EVENTS_AT_ONCE = 500


def record_event(key: ApiKey, kind: Kind, actor: str, **detail: Any) -> None:
    """Write an event in the transaction of the change, and log it once both are committed."""
    KeyEvent.objects.create(key=key, kind=kind, actor=actor, detail=detail)
    transaction.on_commit(partial(log.info, f"key_{kind}", key_id=key.public_id, name=key.name, actor=actor, **detail))


def remove_old_events(before: datetime, *, dry: bool) -> int:
    """Remove events, but no keys. The number of those removed, or found if `dry`."""
    old = KeyEvent.objects.filter(at__lt=before).order_by("id")
    if dry:
        return old.count()
    removed = 0
    while ids := list(old.values_list("id", flat=True)[:EVENTS_AT_ONCE]):
        with locked_transaction():
            removed += KeyEvent.objects.filter(id__in=ids).delete()[0]
    return removed


def auth_failure(request: APIRequest, reason: str, key_id: str | None = None) -> None:
    """Log the reason, which the client is not told."""
    FAILURES.labels(reason).inc()
    _warn("auth_failure", request, reason=reason, key_id=key_id)


def auth_failures_limited(request: APIRequest, seconds: int) -> None:
    """Log that an address is over its limit of failures; once a minute in each worker."""
    FAILURES.labels("limited").inc()
    _warn("auth_failures_limited", request, seconds=seconds)


def address_refused(request: APIRequest, key_id: str | None) -> None:
    FAILURES.labels("address").inc()
    _warn("key_address_refused", request, key_id=key_id)


def _warn(event: str, request: APIRequest, **detail: Any) -> None:
    log.warning(event, ip=request.client_address, endpoint=request.route, request_id=request.request_id, **detail)
