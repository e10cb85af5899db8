"""Checksums of whole tables that do not depend on the order of their rows, and are the same for both databases."""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from triples.store.copying.side import Row, Side
from triples.store.copying.tables import Table

_MODULUS = 1 << 128


class Checksum(NamedTuple):
    """The number of rows, and the sum of their digests."""

    rows: int
    sum: str


def checksum(side: Side, table: Table, progress: Callable[[], None]) -> Checksum:
    number = total = 0
    for rows in _parts(side, table):
        for row in rows:
            total += int.from_bytes(blake2b(repr(row).encode(), digest_size=16).digest())
        number += len(rows)
        progress()
    return Checksum(number, f"{total % _MODULUS:032x}")


def _parts(side: Side, table: Table) -> Iterator[list[Row]]:
    if not table.by_groups:
        yield side.rows(table)
        return
    group = side.next_group(table, 0)
    while group is not None:
        yield side.rows(table, group)
        group = side.next_group(table, group + 1)
