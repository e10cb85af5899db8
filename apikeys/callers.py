"""Callers: the holders of keys, as the rest of a request knows them, and refusals of those who are none."""

from dataclasses import dataclass
from enum import StrEnum

from rest_framework.request import Request

from apikeys.models import ApiKey
from apikeys.scopes import ALL_SCOPES, Scope
from skg_site.api.rates import Rate
from skg_site.api.request import http_of


@dataclass(frozen=True, slots=True)
class Caller:
    """The key of a request, without what only authentication needs."""

    # The public id; None where authentication is off and there is no key.
    key_id: str | None
    name: str
    scopes: frozenset[str]
    # None: the rate of the service.
    rate: Rate | None = None
    # The name under which its requests are counted; None to count by address.
    counted_as: str | None = None

    @property
    def is_authenticated(self) -> bool:
        """Django and DRF ask this of every user."""
        return True


# The client is told the same for every reason; the log tells the reasons apart.
REFUSED = "A valid API key is needed, sent as: Authorization: Bearer <key>."


class Reason(StrEnum):
    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason why a key does not work, and the public id of the key if it has one."""

    reason: Reason
    key_id: str | None = None


ANONYMOUS = Caller(None, "anonymous", ALL_SCOPES)


def caller_of(request: Request) -> Caller | None:
    """The caller that `BearerKey` found; None if no key was sent."""
    caller: Caller | None = request.auth  # type: ignore[assignment]  # DRF types it for its own token model
    return caller


def fellows_of(request: Request) -> frozenset[str] | None:
    """The names, in the audit log, of all keys of the caller's lineage; None if there are no keys to tell apart.

    To them belongs what one of them has begun. Asks the database.
    """
    caller = caller_of(request)
    if caller is None or caller.key_id is None:
        return None
    lineage = ApiKey.objects.filter(public_id=caller.key_id).values("lineage")
    keys = ApiKey.objects.filter(lineage__in=lineage).values_list("public_id", flat=True)
    return frozenset(f"key {key}" for key in [caller.key_id, *keys])


def is_admin(request: Request) -> bool:
    caller = caller_of(request)
    return caller is not None and Scope.ADMIN in caller.scopes


def actor_of(request: Request) -> str:
    """The name under which the audit log has what the request does."""
    caller = caller_of(request)
    return f"key {caller.key_id}" if caller and caller.key_id else f"anybody at {http_of(request).client_address}"
