"""Arrays as PostgreSQL reads them: psycopg takes six times as long to write a list as one.

Most go as a text. Where there are thousands of integers, the server reads them more quickly in its binary format.
"""

from array import array
from collections.abc import Collection, Iterable
from struct import Struct
from sys import byteorder

import psycopg
from psycopg.adapt import Dumper
from psycopg.postgres import types
from psycopg.pq import Format

_INTEGER = types["int4"]
# One dimension, no NULL, the type of the elements, their number, and the number of the first.
_HEADER = Struct(">iiIii")
_ELEMENT_BYTES = 4


def numbers(values: Iterable[float]) -> str:
    """The literal of an array of numbers."""
    given = list(values)
    # Of a column of one value alone, such as the time, it is written once.
    if given and given.count(given[0]) == len(given):
        return "{" + ",".join([repr(given[0])] * len(given)) + "}"
    return "{" + ",".join(map(repr, given)) + "}"


class Integers(bytes):
    """An array of integers of four bytes, to be sent as it is."""


class _AsItIs(Dumper):
    format = Format.BINARY
    oid = _INTEGER.array_oid

    def dump(self, obj: Integers) -> Integers:
        return obj


# Every connection that is made from now on takes it over. Django's backend imports this module before it makes any.
psycopg.adapters.register_dumper(Integers, _AsItIs)


def integers(values: "array[int]") -> Integers:
    """The binary form of an array, whose type code is `i`."""
    # Each element follows its length.
    elements = array("i", (_ELEMENT_BYTES,)) * (2 * len(values))
    elements[1::2] = values
    if byteorder == "little":
        elements.byteswap()
    return Integers(_HEADER.pack(1, 0, _INTEGER.oid, len(values), 1) + elements.tobytes())


def texts(values: Collection[str | None]) -> str:
    """The literal of an array of texts, some of which may be NULL."""
    # Most are of NULL alone, or have nothing to escape. To write each value by itself takes several times as long.
    given = [text for text in values if text is not None]
    if not given:
        return "{" + ",".join(["NULL"] * len(values)) + "}"
    joined = '","'.join(given)
    if len(given) == len(values) and "\\" not in joined and joined.count('"') == 2 * (len(given) - 1):
        return '{"' + joined + '"}'
    return "{" + ",".join(map(_quoted, values)) + "}"


def _quoted(text: str | None) -> str:
    return "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
