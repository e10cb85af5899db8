"""Facts as RDF: as lines of N-Triples, N-Quads, Turtle and TriG, and as quads for other formats."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeVar

import orjson
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from triples.exchange.rdf.annotated import RDF, REIFIES
from triples.exchange.rdf.options import GRAPH, METADATA, WEIGHT
from triples.exchange.rdf.prefixes import VOCABULARY, Prefixes
from triples.exchange.rdf.terms import Term, TermTexts
from triples.exchange.rendering import extras_of
from triples.query.export import StreamedFact


class Style(StrEnum):
    """The form in which RDF says what the weight and the metadata of a fact are."""

    ANNOTATIONS = "annotations"
    REIFICATION = "reification"
    GRAPHS = "graphs"
    # Not at all.
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class RdfWriting:
    """`style` is None for the usual one of the format."""

    style: Style | None = None
    prefixes: Prefixes = field(default_factory=Prefixes)
    weight_property: str = WEIGHT
    extras: tuple[str, ...] = ()


class Statement(NamedTuple):
    """A fact as terms of RDF, with what is said of it."""

    triple: Triple
    graph: NamedNode | BlankNode | DefaultGraph
    said: Sequence[tuple[NamedNode, Literal]]


_JSON = NamedNode(f"{RDF}JSON")
_XSD = "http://www.w3.org/2001/XMLSchema#"
_DECIMAL, _DOUBLE = NamedNode(f"{_XSD}decimal"), NamedNode(f"{_XSD}double")
_TYPE, _STATEMENT = NamedNode(f"{RDF}type"), NamedNode(f"{RDF}Statement")
_PARTS = [NamedNode(f"{RDF}{name}") for name in ("subject", "predicate", "object")]
_METADATA = NamedNode(METADATA)
_DEFAULT = DefaultGraph()
Known = TypeVar("Known")
_REMEMBERED = 100_000


class Statements:
    """Makes statements of facts. Terms repeat, so some are remembered."""

    def __init__(self, writing: RdfWriting, style: Style, *, has_graphs: bool) -> None:
        self._texts = TermTexts(writing.prefixes)
        self._weight = NamedNode(writing.weight_property)
        self._extras = {name: NamedNode(VOCABULARY + name.removesuffix("_at")) for name in writing.extras}
        self._is_plain = style is Style.PLAIN
        self._has_graphs = has_graphs and style is not Style.GRAPHS
        self._nodes: dict[str, NamedNode | BlankNode] = {}
        self._iris: dict[str, NamedNode] = {}
        self._objects: dict[str, Term] = {}

    def of(self, fact: StreamedFact) -> Statement:
        subject, predicate, object_, weight, metadata = fact[:5]
        triple = Triple(
            _remembered(self._nodes, subject, self._texts.node),
            _remembered(self._iris, predicate, self._texts.iri),
            _remembered(self._objects, object_, self._texts.object),
        )
        graph: NamedNode | BlankNode | DefaultGraph = _DEFAULT
        if metadata is not None and self._has_graphs and metadata.startswith('{"graph":"'):
            graph, metadata = self._graph(metadata)
        said: list[tuple[NamedNode, Literal]] = []
        if not self._is_plain:
            if weight != 1:
                said.append((self._weight, weight_literal(weight)))
            if metadata is not None:
                said.append((_METADATA, Literal(metadata, datatype=_JSON)))
            said += [
                (self._extras[name], Literal(text))
                for name, text in zip(self._extras, extras_of(fact, tuple(self._extras)), strict=True)
                if text is not None
            ]
        return Statement(triple, graph, said)

    def _graph(self, metadata: str) -> tuple[NamedNode | BlankNode, str | None]:
        """The graph that the metadata names, and the rest of it."""
        content = orjson.loads(metadata)
        graph = self._texts.node(content.pop(GRAPH))
        return graph, orjson.dumps(content).decode() if content else None


def quads(statements: Iterable[Statement], style: Style, before: int = 0) -> Iterator[Quad]:
    """The quads of statements; what is said of a fact has the fact's own blank node as its subject.

    It is numbered after as many facts as there were `before`.
    """
    for number, (triple, graph, said) in enumerate(statements, before + 1):
        if not said:
            yield Quad(triple.subject, triple.predicate, triple.object, graph)
            continue
        node = BlankNode(f"f{number}")
        if style is Style.GRAPHS:
            yield Quad(triple.subject, triple.predicate, triple.object, node)
        else:
            yield Quad(triple.subject, triple.predicate, triple.object, graph)
            yield from _naming(node, triple, style)
        for predicate, value in said:
            yield Quad(node, predicate, value)


def _naming(node: BlankNode, triple: Triple, style: Style) -> Iterator[Quad]:
    """The quads by which a node stands for a triple."""
    if style is Style.ANNOTATIONS:
        yield Quad(node, REIFIES, triple)
        return
    yield Quad(node, _TYPE, _STATEMENT)
    for part, term in zip(_PARTS, (triple.subject, triple.predicate, triple.object), strict=True):
        yield Quad(node, part, term)


def weight_literal(weight: float) -> Literal:
    text = repr(weight)
    return Literal(text, datatype=_DOUBLE if "e" in text else _DECIMAL)


def _remembered(known: dict[str, Known], text: str, make: Callable[[str], Known]) -> Known:
    found = known.get(text)
    if found is None:
        if len(known) >= _REMEMBERED:
            known.clear()
        found = known[text] = make(text)
    return found


# A number that Turtle takes as the same literal without quotation marks.
_NUMBER = {_DECIMAL: re.compile(r"\d+\.\d+", re.ASCII), _DOUBLE: re.compile(r"\d+(?:\.\d+)?e[+-]?\d+", re.ASCII)}
# A name with a prefix that Turtle has without escapes.
_SIMPLE = re.compile(r"[A-Za-z][\w-]*:[A-Za-z0-9_](?:[A-Za-z0-9_-]*)", re.ASCII)


class TurtleTerms:
    """Terms as Turtle writes them, with prefixes where these are simple."""

    def __init__(self, prefixes: Prefixes) -> None:
        self._prefixes = prefixes
        self._known: dict[Term, str] = {}

    def header(self) -> str:
        return "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in sorted(self._prefixes.iris.items()))

    def written(self, term: Term) -> str:
        found = self._known.get(term)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[term] = self._write(term)
        return found

    def _write(self, term: Term) -> str:
        if isinstance(term, NamedNode):
            shorter = self._prefixes.compact(term.value)
            if shorter is not None and _SIMPLE.fullmatch(shorter):
                return shorter
        if isinstance(term, Literal) and (number := _NUMBER.get(term.datatype)) and number.fullmatch(term.value):
            return str(term.value)
        return str(term)

    def annotated(self, statement: Statement) -> str:
        """A line with a fact and what is said of it."""
        triple = statement.triple
        line = " ".join(map(self.written, (triple.subject, triple.predicate, triple.object)))
        if statement.said:
            said = " ; ".join(f"{self.written(name)} {self._write(value)}" for name, value in statement.said)
            line = f"{line} {{| {said} |}}"
        return self._in_graph(line, statement.graph)

    def of_quad(self, quad: Quad) -> str:
        """A line with a quad."""
        line = " ".join(map(self.written, (quad.subject, quad.predicate, quad.object)))
        return self._in_graph(line, quad.graph_name)

    def _in_graph(self, line: str, graph: NamedNode | BlankNode | DefaultGraph) -> str:
        return f"{line} .\n" if isinstance(graph, DefaultGraph) else f"{self.written(graph)} {{ {line} }}\n"
