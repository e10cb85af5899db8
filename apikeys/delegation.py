"""Limits of the keys that a key can issue: no more scopes, no more networks and no later expiry than its own.

Without them, a key with the scope `admin` that expires, or is bound to networks, could issue one that is not.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from apikeys.models import ApiKey
from skg_site.api.addresses import Network


class BeyondIssuer(Exception):
    """The new key would have more than the key that issues it; the message is a sentence."""


def require_within(
    issuer: ApiKey, *, scopes: Collection[str], expires_at: datetime | None, networks: Collection[Network]
) -> None:
    """Raise `BeyondIssuer` unless the issuer has all of this itself."""
    reasons = []
    if missing := [scope for scope in scopes if scope not in issuer.scopes.split()]:
        reasons.append(f"it lacks the scope {' and '.join(missing)}")
    if issuer.expires_at is not None and (expires_at is None or expires_at > issuer.expires_at):
        left = max(int((issuer.expires_at - datetime.now(UTC)).total_seconds()), 0)
        reasons.append(f"it expires at {issuer.expires_at:%Y-%m-%dT%H:%M:%SZ}, in {left} seconds")
    if issuer.networks and not (networks and all(_is_within(network, issuer.networks) for network in networks)):
        reasons.append(f"it is bound to {issuer.allowed_networks.replace(',', ', ')}")
    if reasons:
        raise BeyondIssuer(f"The key that asks cannot hand on more than it has: {'; '.join(reasons)}.")


def _is_within(network: Network, wider: Collection[Network]) -> bool:
    # An IPv4 network is never within an IPv6 network, or the reverse.
    return any(
        network.version == other.version and network.network_address in other and network.prefixlen >= other.prefixlen
        for other in wider
    )
