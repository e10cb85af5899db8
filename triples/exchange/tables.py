"""Tables of any columns: which column holds what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triples.exchange.fields import NAMES, REQUIRED, Fields, metadata_of, weight_of
from triples.exchange.lines import InputError, Refused
from triples.fact_validation import clean_predicate
from triples.text import TermError
from triples.visible import visible

ALL_OTHERS = "*"
_SHOWN_NAMES, _SHOWN_CHARACTERS = 12, 60
# A comma ends an assignment only where another begins.
_BETWEEN = re.compile(r",(?=\s*\w+=)")


class BadBeginning(InputError):
    """The beginning of an input shows that it would be misread. Nothing of it is stored."""


@dataclass(frozen=True, slots=True)
class TableOptions:
    """The options of the command line about tables.

    `columns` has the names of columns by the fields that they hold. If `wide`, each row tells many facts of an entity,
    and the other columns are named for the predicates.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    ignored: tuple[str, ...] = ()
    wide: bool = False
    entity: str | None = None

    @property
    def says_columns(self) -> bool:
        return bool(self.columns) or self.wide


PLAIN_TABLE = TableOptions()


def parse_columns(text: str) -> dict[str, str]:
    """The columns of `subject=source,object=target`. Raises ValueError."""
    found: dict[str, str] = {}
    for part in _BETWEEN.split(text):
        name, given, column = part.strip().partition("=")
        if not given or name not in NAMES or not column.strip() or name in found:
            raise ValueError(f"must be such as subject=source,predicate=relation,object=target, of {', '.join(NAMES)}")
        found[name] = column.strip()
    return found


@dataclass(frozen=True, slots=True)
class Layout:
    """The positions of a row's fields: each by its place in the row, and the other columns by their names."""

    width: int
    places: Mapping[str, int]
    # Columns that go into the metadata, or in a wide table, columns of objects with their predicates.
    others: Sequence[tuple[str, int]]
    wide: bool = False

    @property
    def names(self) -> list[str] | None:
        """The fields in the order of the columns, if each column is one."""
        return None if self.wide or len(self.places) < self.width else sorted(self.places, key=self.places.__getitem__)

    def fields(self, cells: Sequence[str]) -> list[Fields]:
        """The fields of a row's facts. Raises Refused."""
        if len(cells) != self.width:
            counted = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
            raise Refused(f"has {counted}, the header {self.width}")
        weight = weight_of(self._cell(cells, "weight"))
        metadata = metadata_of(self._cell(cells, "metadata"))
        subject = cells[self.places["subject"]]
        if self.wide:
            filled = [(name, cells[place]) for name, place in self.others if cells[place].strip()]
            return [Fields(subject, name, text, weight, metadata) for name, text in filled]
        predicate, object_ = (cells[self.places[name]] for name in REQUIRED[1:])
        return [Fields(subject, predicate, object_, weight, self._with_others(metadata, cells))]

    def _cell(self, cells: Sequence[str], name: str) -> str:
        place = self.places.get(name)
        return "" if place is None else cells[place]

    def _with_others(self, metadata: dict[str, Any] | None, cells: Sequence[str]) -> dict[str, Any] | None:
        """The metadata with the other columns, of which empty ones say nothing."""
        others = {name: cells[place] for name, place in self.others if cells[place].strip()}
        if metadata and (twice := next(iter(metadata.keys() & others), None)) is not None:
            raise Refused(f"metadata has {twice!r}, which is the name of a column, too")
        return {**(metadata or {}), **others} or None


def layout_of(cells: Sequence[str], table: TableOptions) -> Layout:
    """The layout that a header gives, and the command line. Raises BadBeginning if it gives none."""
    names = [cell.strip() or f"column {number}" for number, cell in enumerate(cells, 1)]
    places = {name.lower(): place for place, name in reversed(list(enumerate(names)))}
    if len(places) < len(names):
        raise BadBeginning("the header names a column twice")
    found: dict[str, int] = {}
    for name in NAMES:
        wanted = table.columns.get(name, name)
        if table.wide and name == "subject":
            wanted = table.entity or table.columns.get(name, names[0])
        elif table.wide and name not in table.columns:
            continue
        place = places.get(wanted.lower())
        if place is not None:
            found[name] = place
        elif name in table.columns or name in REQUIRED:
            raise BadBeginning(f"no column is named {shown(wanted)!r}, for the {name}; the columns are {listed(names)}")
    return _with_the_rest(names, found, table)


def layout_by_number(width: int, table: TableOptions) -> Layout:
    """The layout of a table without a header, in which columns are known by their numbers, from 1 on."""
    return layout_of([str(number) for number in range(1, width + 1)], table)


def shown(name: str) -> str:
    name = name.strip()
    return visible(name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}…")


def listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(map(shown, names[:_SHOWN_NAMES])) + (f" and {more:,} more" if more > 0 else "")


def _with_the_rest(names: Sequence[str], found: Mapping[str, int], table: TableOptions) -> Layout:
    if len(set(found.values())) < len(found):
        raise BadBeginning("one column is given for two fields")
    if unknown := [name for name in table.ignored if name not in {ALL_OTHERS, *names}]:
        raise BadBeginning(f"--ignore names {shown(unknown[0])!r}; the columns are {listed(names)}")
    taken = set(found.values())
    rest = [(name, place) for place, name in enumerate(names) if place not in taken]
    others = [] if ALL_OTHERS in table.ignored else [(name, place) for name, place in rest if name not in table.ignored]
    if table.wide:
        others = [(_predicate(name), place) for name, place in others]
        if not others:
            raise BadBeginning("a wide table has at least one column beside the entity")
    return Layout(len(names), found, others, table.wide)


def _predicate(name: str) -> str:
    try:
        return clean_predicate(name)
    except TermError as error:
        raise BadBeginning(f"the column {shown(name)!r} cannot be a predicate: it {error}") from None
