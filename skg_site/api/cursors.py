"""Opaque cursors: the position of a keyset page as text that a client only passes back."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import orjson

from skg_site.api.problems import Invalid

# What a column of either database can be compared with; JSON's integers go on to twice that.
LARGEST_INTEGER = 2**63 - 1


def encode_cursor(position: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> list[Any]:
    """The values that were encoded, checked to be of these types; 422 for any other text."""
    try:
        values = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        values = None
    if (
        not isinstance(values, list)
        or [type(value) for value in values] != list(types)
        or any(isinstance(value, int) and value > LARGEST_INTEGER for value in values)
    ):
        raise Invalid([{"loc": ["cursor"], "msg": "Not a cursor that this service gave", "type": "cursor"}])
    return values
