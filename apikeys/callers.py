"""Who is calling."""

from dataclasses import dataclass

from rest_framework.request import Request

from apikeys.scopes import ALL_SCOPES
from skg_site.api.rates import Rate
from skg_site.api.request import http_of


@dataclass(frozen=True, slots=True)
class Caller:
    """What the rest of a request may know of its key."""

    # The public id; None where authentication is off and there is no key.
    key_id: str | None
    name: str
    scopes: frozenset[str]
    # None where the service's rate holds.
    rate: Rate | None = None
    # By what its requests are counted; None to count by address.
    counted_as: str | None = None

    @property
    def is_authenticated(self) -> bool:
        """Django and DRF ask this of everything that stands in for a user."""
        return True


ANONYMOUS = Caller(None, "anonymous", ALL_SCOPES)


def caller_of(request: Request) -> Caller | None:
    """Who `BearerKey` found to be calling; None when no key was sent."""
    caller: Caller | None = request.auth  # type: ignore[assignment]  # DRF types it for its own token model
    return caller


def actor_of(request: Request) -> str:
    """Who is to be named as having done what the request asks for."""
    caller = caller_of(request)
    return f"key {caller.key_id}" if caller and caller.key_id else f"anybody at {http_of(request).client_address}"
