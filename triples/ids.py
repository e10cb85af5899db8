"""Public ids: UUIDs that pack a row's creation time and its integer key.

They cost no column and no index, sort by time, and tell nothing but what the row itself shows. The
layout is RFC 9562's version 8, with the milliseconds where version 7 has them:

    48 bits  milliseconds since 1970
     4 bits  version (8)
    12 bits  kind of row
     2 bits  variant
    62 bits  the row's integer key
"""

from typing import NamedTuple
from uuid import UUID

ASSERTED = 0

_KEY_MASK = (1 << 62) - 1
_MILLISECOND_MASK = (1 << 48) - 1
_FRAME = (8 << 76) | (0b10 << 62)
_FRAME_MASK = (0xF << 76) | (0b11 << 62)


class RowId(NamedTuple):
    """What a public id says: which row, and when it must have been made."""

    created_ms: int
    key: int
    kind: int


def pack(created_ms: int, key: int, kind: int = ASSERTED) -> str:
    """The public id of a row as text."""
    if not (0 <= created_ms <= _MILLISECOND_MASK and 0 < key <= _KEY_MASK and 0 <= kind < 4096):
        raise ValueError("a public id holds 48 bits of time, a positive key of 62 bits and 12 bits of kind")
    digits = f"{(created_ms << 80) | (kind << 64) | key | _FRAME:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def unpack(public_id: UUID) -> RowId | None:
    """What `pack` was given, or None for a UUID that it never makes."""
    number = public_id.int
    key = number & _KEY_MASK
    if number & _FRAME_MASK != _FRAME or key == 0:
        return None
    return RowId(number >> 80, key, (number >> 64) & 0xFFF)
