"""What happens to keys and with them, as log lines. No line ever holds a key or a part of its secret."""

from functools import partial
from typing import Any

import structlog
from django.db import transaction

from apikeys.metrics import FAILURES
from apikeys.models import ApiKey, KeyEvent, Kind
from skg_site.api.request import APIRequest

log = structlog.get_logger("skg.keys")


def record_event(key: ApiKey, kind: Kind, actor: str, **detail: Any) -> None:
    """Write an event beside the change that it tells of, and log it once both are committed."""
    KeyEvent.objects.create(key=key, kind=kind, actor=actor, detail=detail)
    transaction.on_commit(partial(log.info, f"key_{kind}", key_id=key.public_id, name=key.name, actor=actor, **detail))


def auth_failure(request: APIRequest, reason: str, key_id: str | None = None) -> None:
    """`reason` is what the client is not told: missing, malformed, unknown, revoked, expired."""
    FAILURES.labels(reason).inc()
    _warn("auth_failure", request, reason=reason, key_id=key_id)


def auth_failures_limited(request: APIRequest, seconds: int) -> None:
    """From here on an address is told for each further failure to come back later; once a minute for each worker."""
    FAILURES.labels("limited").inc()
    _warn("auth_failures_limited", request, seconds=seconds)


def address_refused(request: APIRequest, key_id: str | None) -> None:
    FAILURES.labels("address").inc()
    _warn("key_address_refused", request, key_id=key_id)


def _warn(event: str, request: APIRequest, **detail: Any) -> None:
    log.warning(event, ip=request.client_address, endpoint=request.route, request_id=request.request_id, **detail)
