"""Public ids: UUIDs of RFC 9562's version 8 that pack what a row is found by, and so cost no column and no index.

    48 bits  high
     4 bits  version (8)
    12 bits  kind of row
     2 bits  variant
    62 bits  low

For an asserted fact the high bits are its creation time in milliseconds since 1970, as version 7 has them, and the
low bits its integer key: such ids sort by time, and tell nothing but what the row itself shows. For an inferred fact
high and low together are the ids of its three terms, 36 bits each, so that it has the same id after every run.
"""

from time import time_ns
from typing import NamedTuple
from uuid import UUID

ASSERTED = 0
RUN = 2
INFERRED = 1
IMPORT = 3

_KEY_BITS = 62
_KEY_MASK = (1 << _KEY_BITS) - 1
_MILLISECOND_MASK = (1 << 48) - 1
# The end of the year 9999, beyond which there is no date.
_LATEST_MS = 253_402_300_799_999
_TERM_BITS = 36
_TERM_MASK = (1 << _TERM_BITS) - 1
# What the version and the variant look like in every id.
_FRAME = (8 << 76) | (0b10 << 62)
_FRAME_MASK = (0xF << 76) | (0b11 << 62)


class RowId(NamedTuple):
    """The content of a public id: the row's key, and when the row must have been made."""

    created_ms: int
    key: int
    kind: int


class InferredId(NamedTuple):
    """The ids of an inferred fact's terms."""

    subject: int
    predicate: int
    object: int


def pack(created_ms: int, key: int, kind: int = ASSERTED) -> str:
    """The public id of a row as text; a time that does not fit into it is taken for the nearest that does."""
    if not (0 < key <= _KEY_MASK and 0 <= kind < 4096):
        raise ValueError("a public id holds a positive key of 62 bits and 12 bits of kind")
    # Asked here, where every fact of an answer comes by, since a call takes as long as the rest.
    return _text(created_ms if 0 <= created_ms <= _MILLISECOND_MASK else fitting(created_ms), key, kind)


def fitting(created_ms: int) -> int:
    """The nearest time that a public id can hold, in milliseconds since 1970."""
    if 0 <= created_ms <= _MILLISECOND_MASK:
        return created_ms
    return 0 if created_ms < 0 else _MILLISECOND_MASK


def now_ms() -> int:
    """The time for a new row, which the machine's clock may tell wrongly: before 1970, where its battery is empty."""
    return min(fitting(time_ns() // 1_000_000), _LATEST_MS)


def pack_inferred(subject: int, predicate: int, object_: int) -> str:
    """The public id of an inferred fact as text."""
    if not (0 < subject <= _TERM_MASK and 0 < predicate <= _TERM_MASK and 0 < object_ <= _TERM_MASK):
        raise ValueError("the public id of an inferred fact holds three positive ids of 36 bits")
    number = (subject << 2 * _TERM_BITS) | (predicate << _TERM_BITS) | object_
    return _text(number >> _KEY_BITS, number & _KEY_MASK, INFERRED)


def unpack(public_id: UUID) -> RowId | None:
    """The arguments of `pack`, or None for a UUID that it never makes."""
    number = public_id.int
    key = number & _KEY_MASK
    if number & _FRAME_MASK != _FRAME or key == 0:
        return None
    return RowId(number >> 80, key, (number >> 64) & 0xFFF)


def unpack_inferred(public_id: UUID) -> InferredId | None:
    """The arguments of `pack_inferred`, or None for a UUID that it never makes."""
    row = unpack(public_id)
    if row is None or row.kind != INFERRED:
        return None
    number = (row.created_ms << _KEY_BITS) | row.key
    found = InferredId(number >> 2 * _TERM_BITS, (number >> _TERM_BITS) & _TERM_MASK, number & _TERM_MASK)
    return found if 0 < found.subject <= _TERM_MASK and found.predicate and found.object else None


def _text(high: int, low: int, kind: int) -> str:
    digits = (high << 80 | kind << 64 | low | _FRAME).to_bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
