"""Limit of the number of values in a JSON text, checked before it is parsed, since the cost depends on it."""

from skg_site.api.problems import FieldError, Invalid

# A body of at most this many bytes takes a few milliseconds at most, so it is parsed on the event loop.
SMALL_BODY = 32 * 1024
# Enough for any body but a batch: the largest is the metadata of a fact, of 16 KiB, with 8,192 values.
MAX_VALUES = 20_000
# To parse a member of an object takes several times as long as an item of an array.
VALUES_FOR_A_MEMBER = 4


def check_values(body: bytes, most: int) -> None:
    """Raise 422 for a JSON text with more than `most` values, or more members of objects than a quarter of that."""
    # Enough for nearly all bodies, since few strings have commas and colons in them.
    if _exceeds(body, most):
        # A value can have a name, and each string has two quotation marks.
        unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
        if unescaped.count(b'"') > 4 * most or _exceeds(b"".join(unescaped.split(b'"')[::2]), most):
            raise Invalid([_too_many(most)])


def _exceeds(text: bytes, most: int) -> bool:
    # A comma or an opening bracket precedes each value but the outermost.
    values = text.count(b",") + text.count(b"[") + text.count(b"{")
    return values >= most or text.count(b":") * VALUES_FOR_A_MEMBER > most


def _too_many(most: int) -> FieldError:
    members = most // VALUES_FOR_A_MEMBER
    message = f"The body may hold {most:,} values and {members:,} members of objects; send more in several requests"
    return {"loc": [], "msg": message, "type": "too_many_values"}
