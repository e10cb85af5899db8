"""Keys as JSON: the types of responses, with an example of each, and the functions that fill them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from apikeys.lineages import Revocation
from apikeys.models import ApiKey, State
from apikeys.scopes import ALL_SCOPES
from apikeys.services import IssuedKey
from skg_site.api.fields import Moment, one_of, rfc3339


class KeyOut(TypedDict):
    id: Annotated[str, Field(description="The public id: the first eight characters after `skg_<env>_`.")]
    name: str
    environment: str
    scopes: list[Annotated[str, one_of(ALL_SCOPES)]]
    rate: Annotated[str | None, Field(description="null: as the service is set.")]
    allowed_networks: Annotated[list[str], Field(description="Empty: any address.")]
    state: Annotated[
        str, one_of(State.values), Field(description="rotating: replaced by its successor, and still working.")
    ]
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Annotated[Moment | None, Field(description="To the minute.")]
    rotated_from: Annotated[str | None, Field(description="The id of the key that this one replaced.")]
    successor: Annotated[str | None, Field(description="The id of the key that replaced this one.")]


KEY: KeyOut = {
    "id": "4Xk0vT2a",
    "name": "nightly import",
    "environment": "prod",
    "scopes": ["read", "write"],
    "rate": "100/s",
    "allowed_networks": ["10.0.0.0/8"],
    "state": "active",
    "created_at": "2026-01-15T10:30:00Z",
    "expires_at": "2026-04-15T10:30:00Z",
    "revoked_at": None,
    "last_used_at": "2026-01-16T08:01:00Z",
    "rotated_from": None,
    "successor": None,
}


def key_content(key: ApiKey) -> KeyOut:
    """Reads the keys before and after this one, so a list selects them along with it."""
    successor = key.successor_or_none
    return {
        "id": key.public_id,
        "name": key.name,
        "environment": key.environment,
        "scopes": key.scopes.split(),
        "rate": key.rate or None,
        "allowed_networks": key.allowed_networks.split(",") if key.allowed_networks else [],
        "state": key.state.value,
        "created_at": rfc3339(key.created_at.astimezone(UTC), "seconds"),
        "expires_at": _text(key.expires_at),
        "revoked_at": _text(key.revoked_at),
        "last_used_at": _text(key.last_used_at),
        "rotated_from": key.rotated_from.public_id if key.rotated_from else None,
        "successor": successor.public_id if successor else None,
    }


class KeyPageOut(TypedDict):
    keys: list[KeyOut]
    next_cursor: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]


KEY_PAGE: KeyPageOut = {"keys": [KEY], "next_cursor": None}


class IssuedKeyOut(KeyOut):
    key: Annotated[str, Field(description="The key itself. It is shown this once and kept nowhere.")]


ISSUED_KEY: IssuedKeyOut = {**KEY, "key": "skg_prod_4Xk0vT2aExampleExampleExampleExamp0kD93x", "last_used_at": None}
SUCCESSOR: IssuedKeyOut = {**ISSUED_KEY, "rotated_from": "9bQz81Lm"}


def issued_content(issued: IssuedKey) -> IssuedKeyOut:
    return {"key": issued.clear_text, **key_content(issued.key)}


class RevokedKeyOut(KeyOut):
    also_revoked: Annotated[list[str], Field(description="With `lineage`: the ids of the other keys that were ended.")]
    still_working: Annotated[
        list[str], Field(description="The ids of keys of its row of rotations that still work; `lineage` ends them.")
    ]
    issued_still_working: Annotated[
        list[str], Field(description="The ids of keys that were made with one of that row, and still work.")
    ]


REVOKED_KEY: RevokedKeyOut = {
    **KEY,
    "state": "revoked",
    "revoked_at": "2026-01-16T09:00:00Z",
    "successor": "9bQz81Lm",
    "also_revoked": ["9bQz81Lm"],
    "still_working": [],
    "issued_still_working": [],
}


def revocation_content(revocation: Revocation) -> RevokedKeyOut:
    return {
        **key_content(revocation.key),
        "also_revoked": _ids(revocation.also_revoked),
        "still_working": _ids(revocation.still_working),
        "issued_still_working": _ids(revocation.issued_still_working),
    }


def _ids(keys: list[ApiKey]) -> list[str]:
    return [key.public_id for key in keys]


def _text(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at.astimezone(UTC), "seconds")
