"""Rows of Neo4j's CSV, by their header: as `neo4j-admin database import` reads them, and as APOC writes them."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from triples.exchange.fields import UNKEPT, Fields, metadata_of, weight_of
from triples.exchange.graphs.nodes import EDGE, Nodes, Properties, added, name_of, typed
from triples.exchange.lines import Refused
from triples.exchange.tables import BadBeginning, listed

# Between the values of an array.
_BETWEEN = ";"
# The predicate that tells of a node's labels.
TYPE = "type"
OWN = "skg_"
_UNKEPT = {f"{OWN}{name}" for name in UNKEPT}
_APOC = {"_id": "ID", "_labels": "LABEL", "_start": "START_ID", "_end": "END_ID", "_type": "TYPE"}
_NUMBERS = ("int", "long", "float", "double", "byte", "short")
_TIMES = ("date", "localtime", "time", "localdatetime", "datetime", "duration")
_TYPES = {*_NUMBERS, *_TIMES, "boolean", "char", "string", "point"}
_ROLES = {*_APOC.values(), "IGNORE"}
# A name, a type, the ids that it is of, and options.
_COLUMN = re.compile(
    r"(?P<name>.*?)(?::(?P<type>[A-Za-z_]+(?:\[\])?)(?:\((?P<space>[^)]*)\))?\s*(?:\{.*\})?)?", re.DOTALL
)


class Column(NamedTuple):
    name: str
    # A role in upper case, or a type.
    type: str
    space: str

    @property
    def is_role(self) -> bool:
        return self.type in _ROLES

    def key(self, id_: str) -> str:
        """The id of a node, told apart from the same one of other nodes."""
        return f"{self.space}:{id_}" if self.space else id_


def columns_of(header: Sequence[str]) -> list[Column]:
    """The columns that a header names. Raises BadBeginning if they are not those of nodes or relationships."""
    found = [_column(cell.strip()) for cell in header]
    roles = [column.type for column in found]
    has_ends = [role in roles for role in ("START_ID", "END_ID")]
    if not ("ID" in roles or any(has_ends)):
        raise BadBeginning(
            f"the first line names the columns {listed(header)}; nodes have :ID, relationships :START_ID and :END_ID"
        )
    if any(has_ends) and not all(has_ends):
        raise BadBeginning("relationships have both :START_ID and :END_ID")
    if any(roles.count(role) > 1 for role in ("ID", "START_ID", "END_ID", "TYPE")):
        raise BadBeginning("the header names :ID, :START_ID, :END_ID or :TYPE twice")
    return found


def _column(cell: str) -> Column:
    if cell in _APOC:
        return Column("", _APOC[cell], "")
    found = _COLUMN.fullmatch(cell)
    if found is None:
        return Column(cell, "string", "")
    name, type_ = found["name"], found["type"] or "string"
    role = type_.upper()
    return Column(name, role if role in _ROLES else type_.lower(), found["space"] or "")


class Rows:
    """The facts of rows: of a node what its properties are, of a relationship itself."""

    def __init__(self, columns: Sequence[Column], nodes: Nodes) -> None:
        self.width = len(columns)
        self._columns = columns
        self._nodes = nodes
        self._places = {column.type: place for place, column in enumerate(columns) if column.is_role}

    def fields(self, cells: Sequence[str]) -> list[Fields]:
        """Raises Refused."""
        self._check(cells)
        if self.is_relationship(cells):
            return [self._relationship(cells)]
        key, properties = self._node(cells)
        return list(self._nodes.facts(key, properties))

    def node(self, cells: Sequence[str]) -> tuple[str, str | None] | None:
        """The id and the name of a row that is a node."""
        self._check(cells)
        if self.is_relationship(cells):
            return None
        key, properties = self._node(cells)
        return key, name_of(properties)

    def is_relationship(self, cells: Sequence[str]) -> bool:
        return "ID" not in self._places or bool(self._cell(cells, "START_ID") or self._cell(cells, "END_ID"))

    def _check(self, cells: Sequence[str]) -> None:
        if len(cells) != self.width:
            counted = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
            raise Refused(f"has {counted}, the header {self.width}")

    def _cell(self, cells: Sequence[str], role: str) -> str:
        place = self._places.get(role)
        return "" if place is None else cells[place].strip()

    def _node(self, cells: Sequence[str]) -> tuple[str, Properties]:
        id_ = self._cell(cells, "ID")
        if not id_:
            raise Refused("the node has no :ID")
        found: list[tuple[str, str]] = []
        for column, cell in zip(self._columns, cells, strict=True):
            if column.type == "LABEL":
                found += [(TYPE, label) for label in re.split("[;:]", cell) if label.strip()]
            elif not column.is_role or (column.type == "ID" and column.name):
                values = cell.split(_BETWEEN) if column.type.endswith("[]") else [cell]
                found += [(column.name, value) for value in values if value.strip()]
        return self._columns[self._places["ID"]].key(id_), found

    def _relationship(self, cells: Sequence[str]) -> Fields:
        ends: list[str] = []
        for role in ("START_ID", "END_ID"):
            id_ = self._cell(cells, role)
            if not id_:
                raise Refused(f"the relationship has no :{role}")
            ends.append(self._nodes.term(self._columns[self._places[role]].key(id_)))
        weight: float | None = None
        metadata: dict[str, object] = {}
        for column, cell in zip(self._columns, cells, strict=True):
            if column.is_role or not cell.strip() or column.name in _UNKEPT:
                continue
            if column.name == "weight":
                weight = weight_of(cell)
            elif column.name == "metadata":
                metadata |= metadata_of(cell) or {}
            elif column.type.endswith("[]"):
                added(metadata, column.name, [typed(each, column.type[:-2]) for each in cell.split(_BETWEEN)])
            else:
                added(metadata, column.name, typed(cell, column.type))
        return Fields(ends[0], self._cell(cells, "TYPE") or EDGE, ends[1], weight, metadata or None)


class NodeRows:
    """Hands on the nodes of rows; there are no facts."""

    def __init__(self, rows: Rows, take: Callable[[tuple[str, str | None]], None]) -> None:
        self.width = rows.width
        self._rows = rows
        self._take = take

    def fields(self, cells: Sequence[str]) -> list[Fields]:
        if (found := self._rows.node(cells)) is not None:
            self._take(found)
        return []


def looks_like_neo4j(header: Sequence[str]) -> bool:
    """True if a first line can only be such a header. A fact may have terms with colons, such as `rdf:type`."""
    cells = [cell.strip() for cell in header]
    typed_cells = [(cell, _column(cell).type) for cell in cells if ":" in cell]
    # As Neo4j and APOC write them: in upper case.
    roles = {type_ for cell, type_ in typed_cells if type_ in _ROLES and f":{type_}" in cell}
    if {"_id", "_start", "_end"} <= set(cells) or {"START_ID", "END_ID"} <= roles:
        return True
    return "ID" in roles and all(type_ in _ROLES or type_.removesuffix("[]") in _TYPES for _, type_ in typed_cells)


def property_cells(names: Sequence[str]) -> Iterator[str]:
    """The columns of an export for what else it tells of facts."""
    return (f"{OWN}{name}:string" for name in names)
