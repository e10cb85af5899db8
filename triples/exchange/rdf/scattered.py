"""Statements about facts that stand anywhere in a file, before or after the facts.

They are made by reifiers of RDF 1.2, by `rdf:Statement`, or by the name of the graph that a fact is in. The quads are
parsed once into a temporary file, and the statements into a temporary database, so that memory does not grow with the
file.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from io import BufferedReader
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, NamedTuple, Self, cast

import orjson
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, parse

from triples.exchange.facts import FactMaker
from triples.exchange.fields import metadata_of
from triples.exchange.lines import Refused
from triples.exchange.rdf.annotated import RDF, REIFIES, weight_in
from triples.exchange.rdf.feeding import LineFeed
from triples.exchange.rdf.options import METADATA, UNKEPT, RdfOptions
from triples.exchange.rdf.terms import Term, TermTexts

_METADATA = NamedNode(METADATA)
_UNKEPT = frozenset(map(NamedNode, UNKEPT))
_PARTS = {NamedNode(f"{RDF}{name}"): name for name in ("subject", "predicate", "object")}
_TYPE, _STATEMENT = NamedNode(f"{RDF}type"), NamedNode(f"{RDF}Statement")
_AT_ONCE = 2_000
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000;
CREATE TABLE node (name TEXT PRIMARY KEY, weight REAL, fault TEXT, metadata TEXT, used INTEGER, others INTEGER)
    WITHOUT ROWID;
CREATE TABLE part (name TEXT PRIMARY KEY, subject TEXT, predicate TEXT, object TEXT) WITHOUT ROWID;
CREATE TABLE reified (triple BLOB, name TEXT, PRIMARY KEY (triple, name)) WITHOUT ROWID;
CREATE TABLE extra (name TEXT, key TEXT, value TEXT);
CREATE INDEX extra_name ON extra (name);
"""
_USABLE = "(weight IS NOT NULL OR fault IS NOT NULL OR metadata IS NOT NULL OR :all) AND used"


class Said(NamedTuple):
    """A quad that is a fact, with what is said of it; `fault` is why it is refused."""

    quad: Quad
    line: int
    weight: float | None = None
    metadata: dict[str, Any] | None = None
    fault: str | None = None
    # The name of the graph is the name of the fact, and nothing else.
    is_named: bool = False


class Apart:
    def __init__(
        self, quads: Iterable[Quad], feed: LineFeed, maker: FactMaker, texts: TermTexts, options: RdfOptions
    ) -> None:
        self._source = quads
        self._feed = feed
        self._maker = maker
        self._texts = texts
        self._takes_all = options.metadata
        self._weights = frozenset(map(NamedNode, options.weight_properties))
        self._said = {*self._weights, _METADATA, *_UNKEPT}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        # Without a name, the database is a temporary file, which SQLite removes.
        self._database = sqlite3.connect("", isolation_level=None)
        self._stack.callback(self._database.close)
        self._database.executescript(_SCHEMA)
        self._copy = self._stack.enter_context(TemporaryFile())
        self._lines = self._stack.enter_context(TemporaryFile())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def facts(self) -> Iterator[Said]:
        """The facts, in the order of the file."""
        for batch in _batched(self._copied()):
            self._collect(batch)
        self._complete()
        for batch in _batched(self._read_again()):
            self._mark([quad for quad, _ in batch])
        for batch in _batched(self._read_again()):
            yield from self._with_what_is_said(batch)

    def _copied(self) -> Iterator[tuple[Quad, int]]:
        lines = array("I")
        for quad in self._source:
            self._copy.write(f"{quad} .\n".encode())
            lines.append(self._feed.line)
            if len(lines) == _AT_ONCE:
                lines.tofile(self._lines)
                del lines[:]
            yield quad, 0
        lines.tofile(self._lines)

    def _read_again(self) -> Iterator[tuple[Quad, int]]:
        self._copy.seek(0)
        self._lines.seek(0)
        quads = iter(parse(cast("BufferedReader", self._copy), RdfFormat.N_QUADS))
        while content := self._lines.read(_AT_ONCE * array("I").itemsize):
            lines = array("I", content)
            yield from zip(islice(quads, len(lines)), lines, strict=True)

    def _collect(self, batch: Sequence[tuple[Quad, int]]) -> None:
        """Note what is said of which node, and for which triples nodes stand."""
        run = self._database.execute
        run("BEGIN")
        for (subject, predicate, object_, graph), _ in batch:
            name = str(subject)
            if predicate == REIFIES and isinstance(object_, Triple):
                run("INSERT OR IGNORE INTO reified VALUES (?, ?)", (_digest(object_), name))
                self._know([name])
            elif predicate in _PARTS:
                part = _PARTS[predicate]
                run(
                    f"INSERT INTO part (name, {part}) VALUES (?, ?) ON CONFLICT DO UPDATE SET {part} = excluded.{part}",
                    (name, str(object_)),
                )  # one of three words
            elif predicate in self._said:
                self._note(name, predicate, object_)
            if self._takes_all and not isinstance(graph, DefaultGraph):
                self._know([str(graph)])
        run("COMMIT")

    def _know(self, names: Iterable[str]) -> None:
        self._database.executemany("INSERT OR IGNORE INTO node (name) VALUES (?)", ((name,) for name in names))

    def _note(self, name: str, predicate: NamedNode, value: Term) -> None:
        weight: float | None = None
        fault = metadata = None
        try:
            if predicate in _UNKEPT:
                metadata = "{}"
            elif predicate == _METADATA:
                metadata = orjson.dumps(metadata_of(value.value) or {}).decode() if isinstance(value, Literal) else None
            else:
                weight = weight_in(value, self._maker)
        except Refused as reason:
            fault = str(reason)
        self._database.execute(
            "INSERT INTO node (name, weight, fault, metadata) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "weight = max(coalesce(weight, excluded.weight), coalesce(excluded.weight, weight)), "
            # An id or a time, which is noted as an empty object, takes nothing of the metadata away.
            "fault = coalesce(fault, excluded.fault), "
            "metadata = coalesce(nullif(excluded.metadata, '{}'), metadata, excluded.metadata)",
            (name, weight, fault, metadata),
        )

    def _complete(self) -> None:
        """Take statements of which all three parts are known as reifiers."""
        whole = "subject IS NOT NULL AND predicate IS NOT NULL AND object IS NOT NULL"
        self._database.create_function("digest", 3, lambda *parts: _digest_of(parts), deterministic=True)
        self._database.execute(
            f"INSERT OR IGNORE INTO reified SELECT digest(subject, predicate, object), name FROM part WHERE {whole}"
        )
        self._database.execute(f"INSERT OR IGNORE INTO node (name) SELECT name FROM part WHERE {whole}")

    def _mark(self, batch: Sequence[Quad]) -> None:
        """Note which nodes stand for facts of the file, and what else is said of them."""
        run = self._database.execute
        run("BEGIN")
        digests = [_digest(quad) for quad in batch]
        run(
            f"UPDATE node SET used = 1 WHERE name IN (SELECT name FROM reified WHERE triple IN ({_marks(digests)}))",
            digests,
        )
        graphs = [*{str(quad.graph_name) for quad in batch if not isinstance(quad.graph_name, DefaultGraph)}]
        run(f"UPDATE node SET used = 1 WHERE name IN ({_marks(graphs)})", graphs)
        known = self._known([str(quad.subject) for quad in batch], "1")
        others = [quad for quad in batch if str(quad.subject) in known and not self._is_about_a_fact(quad)]
        if self._takes_all:
            rows = [
                (str(quad.subject), self._texts.text(quad.predicate), self._texts.text(quad.object)) for quad in others
            ]
            self._database.executemany("INSERT INTO extra VALUES (?, ?, ?)", rows)
        else:
            names = ((str(quad.subject),) for quad in others)
            self._database.executemany("UPDATE node SET others = 1 WHERE name = ?", names)
        run("COMMIT")

    def _is_about_a_fact(self, quad: Quad) -> bool:
        """True if the quad tells of which fact its subject stands for, or says something of the fact."""
        predicate = quad.predicate
        return predicate in self._said or self._is_reifying(quad)

    def _is_reifying(self, quad: Quad) -> bool:
        predicate, object_ = quad.predicate, quad.object
        if predicate == REIFIES:
            return isinstance(object_, Triple)
        return predicate in _PARTS or (predicate == _TYPE and object_ == _STATEMENT)

    def _known(self, names: Sequence[str], condition: str) -> dict[str, tuple[Any, ...]]:
        distinct = [*set(names)]
        sql = (
            f"SELECT name, weight, fault, metadata, others FROM node WHERE name IN ({_marks(distinct)}) AND {condition}"
        )
        sql = sql.replace(":all", str(int(self._takes_all)))
        return {row[0]: row[1:] for row in self._database.execute(sql, distinct)}

    def _with_what_is_said(self, batch: Sequence[tuple[Quad, int]]) -> Iterator[Said]:
        digests = [_digest(quad) for quad, _ in batch]
        reifiers: dict[bytes, list[str]] = {}
        for triple, name in self._database.execute(
            f"SELECT triple, name FROM reified WHERE triple IN ({_marks(digests)})", digests
        ):
            reifiers.setdefault(triple, []).append(name)
        names = [name for found in reifiers.values() for name in found]
        nodes = self._known(
            [*names, *(str(term) for quad, _ in batch for term in (quad.subject, quad.graph_name))], _USABLE
        )
        extras = self._extras([*nodes]) if self._takes_all else {}
        for (quad, line), digest in zip(batch, digests, strict=True):
            subject, graph = str(quad.subject), str(quad.graph_name)
            if subject in nodes and self._is_taken(quad, has_others=bool(nodes[subject][3])):
                continue
            about = [name for name in (*reifiers.get(digest, ()), graph) if name in nodes]
            said = Said(quad, line, is_named=graph in nodes and isinstance(quad.graph_name, BlankNode))
            yield (
                _joined(said, [nodes[name] for name in about], [extras.get(name, []) for name in about])
                if about
                else said
            )

    def _is_taken(self, quad: Quad, *, has_others: bool) -> bool:
        """True if the quad of a node that stands for a fact is no fact itself."""
        if self._is_reifying(quad):
            return not has_others
        return self._takes_all or quad.predicate in self._said

    def _extras(self, names: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for name, key, value in self._database.execute(
            f"SELECT name, key, value FROM extra WHERE name IN ({_marks(names)})", names
        ):
            found.setdefault(name, []).append((key, value))
        return found


def _joined(said: Said, nodes: Sequence[tuple[Any, ...]], extras: Sequence[Sequence[tuple[str, str]]]) -> Said:
    """The fact with what several nodes say of it: the greatest weight holds."""
    metadata: dict[str, Any] = {}
    for _, _, text, _ in nodes:
        metadata |= orjson.loads(text) if text else {}
    for key, value in (pair for pairs in extras for pair in pairs):
        before = metadata.setdefault(key, value)
        if before != value:
            metadata[key] = [*before, value] if isinstance(before, list) else [before, value]
    weights = [weight for weight, *_ in nodes if weight is not None]
    fault = next((fault for _, fault, *_ in nodes if fault), None)
    return said._replace(weight=max(weights, default=None), metadata=metadata or None, fault=fault)


def _batched(quads: Iterable[tuple[Quad, int]]) -> Iterator[list[tuple[Quad, int]]]:
    iterator = iter(quads)
    while batch := list(islice(iterator, _AT_ONCE)):
        yield batch


def _digest(triple: Quad | Triple) -> bytes:
    return _digest_of((str(triple.subject), str(triple.predicate), str(triple.object)))


def _digest_of(parts: Sequence[str]) -> bytes:
    return blake2b("\n".join(parts).encode(), digest_size=16).digest()


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
