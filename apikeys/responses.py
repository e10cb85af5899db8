"""What the API gives about keys."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from apikeys.lineages import Revocation
from apikeys.models import ApiKey
from apikeys.services import IssuedKey


def key_content(key: ApiKey) -> dict[str, Any]:
    """A key as `KeyOut`; reads the keys before and after it, which a list selects along with it."""
    successor = key.successor_or_none
    return {
        "id": key.public_id,
        "name": key.name,
        "environment": key.environment,
        "scopes": key.scopes.split(),
        "rate": key.rate or None,
        "allowed_networks": key.allowed_networks.split(",") if key.allowed_networks else [],
        "state": key.state.value,
        "created_at": moment(key.created_at),
        "expires_at": moment(key.expires_at),
        "revoked_at": moment(key.revoked_at),
        "last_used_at": moment(key.last_used_at),
        "rotated_from": key.rotated_from.public_id if key.rotated_from else None,
        "successor": successor.public_id if successor else None,
    }


def issued_content(issued: IssuedKey) -> dict[str, Any]:
    """A new key as `IssuedKeyOut`."""
    return {"key": issued.clear_text, **key_content(issued.key)}


def revocation_content(revocation: Revocation) -> dict[str, Any]:
    """A revoked key as `RevokedKeyOut`."""
    return {
        **key_content(revocation.key),
        "also_revoked": _ids(revocation.also_revoked),
        "still_working": _ids(revocation.still_working),
        "issued_still_working": _ids(revocation.issued_still_working),
    }


def _ids(keys: list[ApiKey]) -> list[str]:
    return [key.public_id for key in keys]


def moment(at: datetime | None) -> str | None:
    """RFC 3339, in UTC, to the second."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class KeyOut(BaseModel):
    id: Annotated[str, Field(description="The public id: the first eight characters after `skg_<env>_`.")]
    name: str
    environment: str
    scopes: list[Literal["read", "write", "recurse", "admin"]]
    rate: Annotated[str | None, Field(description="null: as the service is set.")]
    allowed_networks: Annotated[list[str], Field(description="Empty: any address.")]
    state: Annotated[
        Literal["active", "rotating", "expired", "revoked"],
        Field(description="rotating: replaced by its successor, and still working."),
    ]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="To the minute.")]
    rotated_from: Annotated[str | None, Field(description="The id of the key that this one replaced.")]
    successor: Annotated[str | None, Field(description="The id of the key that replaced this one.")]


class KeyPageOut(BaseModel):
    keys: list[KeyOut]
    next_cursor: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]


class IssuedKeyOut(KeyOut):
    key: Annotated[str, Field(description="The key itself. It is shown this once and kept nowhere.")]


class RevokedKeyOut(KeyOut):
    also_revoked: Annotated[list[str], Field(description="With `lineage`: the ids of the other keys that were ended.")]
    still_working: Annotated[
        list[str], Field(description="The ids of keys of its row of rotations that still work; `lineage` ends them.")
    ]
    issued_still_working: Annotated[
        list[str], Field(description="The ids of keys that were made with one of that row, and still work.")
    ]
