"""Calls about keys and the service itself."""

from collections.abc import Sequence

from .answers import Health, IssuedKey, Key, KeyPage, Ready, RevokedKey, Scope
from .calls import Call, Pages, json_body, parameters


def key() -> Call[Key]:
    """The key of this client."""
    return Call(method="GET", route="/keys/me")


def keys(*, page_size: int | None = None) -> Pages[Key]:
    """All keys."""
    first: Call[KeyPage] = Call(method="GET", route="/keys", parameters=parameters({"limit": page_size}))
    return Pages(first, "keys")


def issue_key(
    name: str,
    scopes: Sequence[Scope],
    *,
    expires_in_seconds: int | None = None,
    rate: str | None = None,
    allowed_networks: Sequence[str] | None = None,
) -> Call[IssuedKey]:
    """Make a key. `key` of the answer is shown this once."""
    members = {
        "name": name,
        "scopes": scopes,
        "expires_in_seconds": expires_in_seconds,
        "rate": rate,
        "allowed_networks": allowed_networks,
    }
    return Call(method="POST", route="/keys", body=json_body(members), repeatable=False)


def rotate_key(id: str | None = None, *, grace_seconds: int | None = None) -> Call[IssuedKey]:
    """Replace a key, or without an id that of this client, which goes on with the old one until it is made anew."""
    body = json_body({"grace_seconds": grace_seconds})
    if id is None:
        return Call(method="POST", route="/keys/me/rotate", body=body, repeatable=False)
    return Call(method="POST", route="/keys/{id}/rotate", names={"id": id}, body=body, repeatable=False)


def revoke_key(id: str, *, lineage: bool = False) -> Call[RevokedKey]:
    """End a key at once; with `lineage`, also those that it was rotated from or into."""
    return Call(method="POST", route="/keys/{id}/revoke", names={"id": id}, body=json_body({"lineage": lineage}))


def health() -> Call[Health]:
    """The sign of life of the service, with its version."""
    return Call(method="GET", route="/health")


def ready() -> Call[Ready]:
    """The readiness of the service to do its work."""
    return Call(method="GET", route="/ready", also_good=frozenset({503}))
