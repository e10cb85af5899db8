"""Cursors of lists of facts of both kinds."""

from skg_site.api.cursors import CursorLayout
from triples.query.fact_rows import AnyRow
from triples.query.reads import Position
from triples.recursion.programs import Key
from triples.store.operations import Row

# Of the last fact on the page: its weight, whether it is inferred, and its key or the ids of its three terms.
CURSOR = CursorLayout("d?qqq")


def position_of(cursor: str) -> Position:
    weight, inferred, *numbers = CURSOR.decode(cursor)
    return Position(weight, key=Key(*numbers)) if inferred else Position(weight, numbers[0])


def cursor_after(row: AnyRow) -> str:
    """The cursor of the page after this row."""
    if isinstance(row, Row):
        return CURSOR.encode(row.weight, False, row.id, 0, 0)
    return CURSOR.encode(row.weight, True, *row.key)
