"""The terms that stand for the nodes of a property graph, which have ids of their own and, most often, names.

A node is known by its name if no other node has that name or that id, and else by its id. Nodes are kept in a temporary
database, so that memory does not grow with the file.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Self

from triples.exchange.fields import Fields

# The properties that name a node, the first that it has.
NAMES = ("name", "label")
# The predicate of an edge that has none.
EDGE = "edge"
# Texts by their names, of which there may be several.
Properties = Sequence[tuple[str, str]]
_REMEMBERED = 50_000
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000;
CREATE TABLE node (id TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID;
"""
_DISTINGUISH = """
CREATE INDEX node_name ON node (name) WHERE name IS NOT NULL;
CREATE TEMP TABLE shared AS
    SELECT name FROM node WHERE name IS NOT NULL GROUP BY name HAVING count(*) > 1
    UNION SELECT name FROM node WHERE name IN (SELECT id FROM node);
UPDATE node SET name = NULL WHERE name IN (SELECT name FROM shared);
"""


class Nodes:
    def __init__(self) -> None:
        # Without a name, the database is a temporary file, which SQLite removes.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._is_empty, self._is_complete = True, False
        self.term = lru_cache(_REMEMBERED)(self._find)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def gather(self, nodes: Iterable[tuple[str, str | None]]) -> None:
        """Take ids and names of nodes. All must be taken before the first term is asked for."""
        self._database.execute("BEGIN")
        for id_, name in nodes:
            if name and name != id_:
                self._is_empty = False
                self._database.execute("INSERT OR IGNORE INTO node VALUES (?, ?)", (id_, name))
            else:
                self._database.execute("INSERT OR IGNORE INTO node VALUES (?, NULL)", (id_,))
        self._database.execute("COMMIT")

    def facts(self, id_: str, properties: Properties) -> Iterator[Fields]:
        """The facts that a node's properties are; that which is its name is none."""
        term = self.term(id_)
        for key, value in properties:
            if value.strip() and not (key in NAMES and value.strip() == term):
                yield Fields(term, key, value, None, None)

    def _find(self, id_: str) -> str:
        if self._is_empty:
            return id_
        if not self._is_complete:
            self._is_complete = True
            self._database.executescript(_DISTINGUISH)
        found = self._database.execute("SELECT name FROM node WHERE id = ?", (id_,)).fetchone()
        return id_ if found is None or found[0] is None else str(found[0])


def name_of(properties: Properties) -> str | None:
    return next((value.strip() for name in NAMES for key, value in properties if key == name and value.strip()), None)


class Seen:
    """The terms that have been written as nodes."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")
        self._database.execute("CREATE TABLE seen (text TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def new(self, texts: Iterable[str]) -> list[str]:
        """The texts that come for the first time, of some that are distinct."""
        insert = "INSERT OR IGNORE INTO seen VALUES (?)"
        return [text for text in texts if self._database.execute(insert, (text,)).rowcount > 0]

    def all(self) -> Iterator[str]:
        return (text for (text,) in self._database.execute("SELECT text FROM seen"))


def added(metadata: dict[str, Any], key: str, value: Any) -> None:
    """Add to metadata. Several values of a key become a list."""
    before = metadata.setdefault(key, value)
    if before != value:
        metadata[key] = [*before, value] if isinstance(before, list) else [before, value]


def typed(text: str, kind: str) -> Any:
    """A value as JSON has it. What is no value of its kind is a text."""
    kind = kind.lower()
    if kind == "boolean" and text.strip().lower() in {"true", "false"}:
        return text.strip().lower() == "true"
    try:
        if kind in {"int", "long", "short", "byte", "integer"} and abs(number := int(text)) < 2**53:
            return number
        if kind in {"float", "double"} and abs(value := float(text)) < float("inf"):
            return value
    except ValueError:
        pass
    return text
