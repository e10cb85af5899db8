"""How many values a JSON text holds, counted before it is parsed: what a body may cost depends on that."""

from skg_site.api.problems import FieldError, Invalid

# A body of so many bytes is read at once: whatever it holds takes a few milliseconds.
SMALL_BODY = 32 * 1024
# More than a body needs that is no batch: the largest is a fact's metadata, of 16 KiB, with 8,192 values.
MAX_VALUES = 20_000
# A member of an object takes several times as long to parse as an item of an array.
VALUES_FOR_A_MEMBER = 4


def check_values(body: bytes, most: int) -> None:
    """Raise 422 for a JSON text with more than `most` values, or more members of objects than a quarter of that."""
    # Nearly every body is done with this, since few texts have commas and colons within.
    if _exceeds(body, most):
        # Each value may have a name, and each text has two quotation marks.
        unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
        if unescaped.count(b'"') > 4 * most or _exceeds(b"".join(unescaped.split(b'"')[::2]), most):
            raise Invalid([_too_many(most)])


def _exceeds(text: bytes, most: int) -> bool:
    # Before each value but the outermost stands a comma, or the bracket that opens its container.
    values = text.count(b",") + text.count(b"[") + text.count(b"{")
    return values >= most or text.count(b":") * VALUES_FOR_A_MEMBER > most


def _too_many(most: int) -> FieldError:
    members = most // VALUES_FOR_A_MEMBER
    message = f"The body may hold {most:,} values and {members:,} members of objects; send more in several requests"
    return {"loc": [], "msg": message, "type": "too_many_values"}
