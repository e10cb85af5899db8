"""Numbers in JSON that lose precision as IEEE 754 doubles."""

import math
import re
import secrets
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jiter

from skg_site.api.problems import FieldError

# Readers that keep numbers as doubles round larger integers (RFC 7493, 2.2).
MAX_EXACT_INTEGER = 2**53 - 1
# The most significant decimal digits of a double, written in full.
MAX_SIGNIFICANT_DIGITS = 767
# A decimal number with at most this many digits and within these bounds is exact as a double.
SAFE_DIGITS, SAFE_RANGE = 15, (1e-290, 1e290)

# Maps digits and points to 0 and exponents to e, so that two substring searches find every number that could lose
# precision. Nearly all bodies have none and are parsed only once.
_FOLD = bytes(0x30 if chr(code) in "0123456789." else 0x65 if chr(code) in "eE" else 0x20 for code in range(256))

# A string, which is skipped, or a number with 16 digits or more, or with an exponent.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9.]{16,}(?:[eE][+-]?[0-9]+)?|-?[0-9.]+[eE][+-]?[0-9]+', re.DOTALL)
# Such a number by its beginning. If it is not all of the text, one of these characters stands before it.
_NUMBER = re.compile(rb"-?[0-9](?:[0-9.]{15}|[0-9.]*[eE])")
_LATER_NUMBER = re.compile(rb"[\[,: \t\n\r]" + _NUMBER.pattern)
_QUOTATION_MARK = ord('"')

# The place of the container, and the name of a member or the index of an item.
_Place = tuple["_Place", str | int] | None


def may_lose_precision(body: bytes) -> bool:
    """True if a number in the JSON text may have 16 digits or more, or an exponent, and needs a closer check."""
    folded = body.translate(_FOLD)
    if b"0" * 16 not in folded and b"0e" not in folded:
        return False
    # It may stand in a text: UUIDs often have it.
    return _NUMBER.match(body) is not None or _LATER_NUMBER.search(body) is not None


def inexact_numbers(body: bytes, most: int) -> list[FieldError]:
    """The numbers of a valid JSON text that lose precision, at most one more than `most`."""
    spans: list[tuple[int, int]] = []
    for found in _TOKEN.finditer(body):
        if body[found.start()] != _QUOTATION_MARK and not is_exact(found[0].decode()):
            spans.append(found.span())
            if len(spans) > most:
                break
    return [_fault(place) for place in _places(body, spans)] if spans else []


def _places(body: bytes, spans: list[tuple[int, int]]) -> Iterator[_Place]:
    """The places of the numbers, found by parsing the text with a random marker in place of each of them."""
    marker = secrets.token_hex(16)
    pieces: list[bytes] = []
    end = 0
    for start, next_end in spans:
        pieces += body[end:start], b'"%b"' % marker.encode()
        end = next_end
    # Without recursion: the content can have 200 levels, the limit of jiter.
    stack: list[tuple[Any, _Place]] = [(jiter.from_json(b"".join((*pieces, body[end:]))), None)]
    while stack:
        value, place = stack.pop()
        if value == marker:
            yield place
        elif isinstance(value, dict):
            stack += [(item, (place, key)) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            stack += [(value[index], (place, index)) for index in reversed(range(len(value)))]


def is_exact(literal: str) -> bool:
    """True if a JSON number is the same after it is read as a double and written again.

    Programs write doubles in the shortest form, or with as many digits; either may be the same.
    """
    if literal.lstrip("-").isdigit():
        return abs(int(literal)) <= MAX_EXACT_INTEGER
    mantissa = literal.lower().partition("e")[0].lstrip("-").replace(".", "")
    digits = len(mantissa.strip("0"))
    if digits == 0:
        return True
    if digits > MAX_SIGNIFICANT_DIGITS:
        return False
    value = float(literal)
    if digits <= SAFE_DIGITS and SAFE_RANGE[0] < abs(value) < SAFE_RANGE[1]:
        return True
    if value == 0 or math.isinf(value):
        return False
    # A comparison of texts is faster, and nearly all programs write the shortest form.
    shortest = repr(value)
    return shortest == literal or Decimal(literal) in {Decimal(shortest), Decimal(f"{value:.{digits - 1}e}")}


def _fault(place: _Place) -> FieldError:
    loc: list[str | int] = []
    while place is not None:
        place, part = place
        loc.append(part)
    return {
        "loc": loc[::-1],
        "msg": "The number cannot be kept without losing precision",
        "type": "inexact_number",
    }
