"""A fast reader of blocks of lines as exports have them, on columns. What is not as simple it leaves to `blocks`.

A fact stands alone; or a blank node stands for it in the next line, by `rdf:reifies`; or that node is the name of the
fact's graph. Then the node has a weight, or metadata, or first the one and then the other.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from triples.exchange.rdf.annotated import RDF, REIFIES
from triples.exchange.rdf.canonical import BLANK_NODE, IRI, LITERAL, NOT_NUMBERED, TERM
from triples.exchange.rdf.columns import lines_of, without_end
from triples.exchange.rdf.options import METADATA, UNKEPT, RdfOptions

# Texts as they are written; an empty one where there is none. A graph is only what is not the name of its fact.
COLUMNS = pa.schema([(name, pa.string()) for name in ("subject", "predicate", "object", "graph", "weight", "metadata")])
_GRAPH = " (?:<|_:)[^ ]*$"
_METADATA = f"<{METADATA}>"
_STATEMENT = f"<{RDF}Statement>"
# By which the hashes of a fact's terms are multiplied, so that their order counts.
_FACTORS = (-7046029254386353131, -4417276706812531889, 1609587929392839161)


def _lines_of(term: str) -> "re.Pattern[str]":
    return re.compile(rf"(?:(?:{term})\n)*+")


_IRIS, _GRAPHS, _LITERALS = map(_lines_of, (IRI, f"(?:{IRI}|{BLANK_NODE})?+", LITERAL))


class Columns(NamedTuple):
    """Blocks as columns. `hashes` are those of the facts, `nodes` the nodes that stand for facts.

    If not `is_simple`, more is said than the columns have.
    """

    batch: pa.RecordBatch
    hashes: pa.Array
    nodes: pa.Array
    blank_subjects: Iterable[str] = ()
    is_simple: bool = True


class _About(NamedTuple):
    """The lines about facts: how many each fact has, after the one at its place."""

    lines: pa.Array
    places: pa.Array
    counts: pa.Array


class BlockColumns:
    """Reads whole blocks. If `numbered`, no node without a label may be in a fact."""

    def __init__(self, options: RdfOptions, *, numbered: bool, has_graphs: bool) -> None:
        self._has_graphs = has_graphs
        self._weights = pa.array([f"<{iri}>" for iri in options.weight_properties], pa.string())
        # What is said with these elsewhere than in a block is left to others.
        parts = [f"{RDF}{name}" for name in ("subject", "predicate", "object", "reifies")]
        self._no_facts = {f"<{iri}>" for iri in (*options.weight_properties, METADATA, *UNKEPT, *parts)}
        self._objects = _lines_of(f"{NOT_NUMBERED if numbered else ''}{TERM}")

    def columns(self, content: bytes) -> Columns | None:
        """The facts of these lines, with what is said of them."""
        try:
            return self._columns(content)
        except ValueError:
            # Of Arrow, too.
            return None

    def _columns(self, content: bytes) -> Columns:
        lines = lines_of(content)
        is_fact = pc.invert(pc.starts_with(lines, "_:"))
        places = pc.indices_nonzero(is_fact).cast(pa.int64())
        _require(len(places) > 0 and not places[0].as_py())
        ends = pa.concat_arrays([places[1:], pa.array([len(lines)], pa.int64())])
        facts = without_end(lines.filter(is_fact))
        subjects, predicates, objects, graphs = self._terms(facts)
        about = _About(lines, places, pc.subtract(pc.subtract(ends, places), 1))
        is_name = pc.starts_with(graphs, "_:")
        triples = pc.binary_join_element_wise(subjects, predicates, objects, " ") if self._has_graphs else facts
        nodes = _nodes(triples, graphs, is_name, about)
        weights, metadata = self._said(nodes, is_name, about)
        graphs = pc.if_else(is_name, "", graphs)
        batch = pa.record_batch([subjects, predicates, objects, graphs, weights, metadata], schema=COLUMNS)
        return Columns(
            batch, self._checked_hashes(subjects, predicates, objects), nodes.filter(pc.not_equal(nodes, ""))
        )

    def _terms(self, facts: pa.Array) -> Sequence[pa.Array]:
        """The subjects, predicates, objects and graphs."""
        parts = pc.split_pattern(facts, " ", max_splits=2)
        subjects, predicates, objects = (pc.list_element(parts, place) for place in range(3))
        graphs = pa.repeat(pa.scalar("", pa.string()), len(facts))
        if self._has_graphs and pc.any(has_graph := pc.match_substring_regex(objects, _GRAPH)).as_py():
            pairs = pc.split_pattern(objects.filter(has_graph), " ", max_splits=1, reverse=True)
            graphs = pc.replace_with_mask(graphs, has_graph, pc.list_element(pairs, 1))
            objects = pc.replace_with_mask(objects, has_graph, pc.list_element(pairs, 0))
            _require_all(_GRAPHS, pc.unique(graphs).to_pylist())
        return subjects, predicates, objects, graphs

    def _checked_hashes(self, *columns: pa.Array) -> pa.Array:
        """The hashes of facts, of which all terms are as they must be."""
        encoded = [column.dictionary_encode() for column in columns]
        subjects, predicates, objects = ([*column.dictionary.to_pylist()] for column in encoded)
        _require_all(_IRIS, [*subjects, *predicates])
        _require_all(self._objects, objects)
        _require(self._no_facts.isdisjoint(predicates) and _STATEMENT not in objects)
        return hashes_of(encoded)

    def _said(self, nodes: pa.Array, is_name: pa.Array, about: _About) -> tuple[pa.Array, pa.Array]:
        """The weight and the metadata of each fact."""
        is_told = pc.not_equal(nodes, "")
        before = pc.if_else(is_name, 0, 1)
        numbers = pc.subtract(about.counts, before).filter(is_told)
        _require_true(pc.is_in(numbers, pa.array([1, 2], pa.int64())))
        places = pc.add(pc.add(about.places, before), 1).filter(is_told)
        two, told = pc.equal(numbers, 2), nodes.filter(is_told)
        properties, values = _saying(about.lines.take(places), told)
        others, metadata = _saying(about.lines.take(pc.add(places, 1).filter(two)), told.filter(two))
        is_weight = pc.is_in(properties, self._weights)
        _require_true(pc.or_(is_weight, pc.equal(properties, _METADATA)))
        _require_true(pc.equal(others, _METADATA))
        _require_true(is_weight.filter(two))
        described = pc.replace_with_mask(pc.if_else(is_weight, "", values), two, metadata)
        none = pa.repeat(pa.scalar("", pa.string()), len(nodes))
        return (
            pc.replace_with_mask(none, is_told, pc.if_else(is_weight, values, "")),
            pc.replace_with_mask(none, is_told, described),
        )


def hashes_of(terms: Iterable[pa.DictionaryArray]) -> pa.Array:
    """The hash of each fact."""
    found: pa.Array | None = None
    for column, factor in zip(terms, _FACTORS, strict=True):
        hashes = pa.array(map(hash, column.dictionary.to_pylist()), pa.int64(), size=len(column.dictionary))
        product = pc.multiply(hashes.take(column.indices), factor)
        found = product if found is None else pc.add(found, product)
    return found


def _nodes(triples: pa.Array, graphs: pa.Array, is_name: pa.Array, about: _About) -> pa.Array:
    """The node that stands for each fact of which something is said."""
    is_told = pc.greater(about.counts, 0)
    # A name of which nothing is said is a graph like others.
    _require(not pc.any(pc.and_not(is_name, is_told)).as_py())
    nodes, is_reified = pc.if_else(is_name, graphs, ""), pc.and_not(is_told, is_name)
    namings = pc.split_pattern(about.lines.take(pc.add(about.places.filter(is_reified), 1)), " ", max_splits=1)
    expected = pc.binary_join_element_wise(f"{REIFIES} <<(", triples.filter(is_reified), ")>> .", " ")
    _require_true(pc.equal(pc.list_element(namings, 1), expected))
    return pc.replace_with_mask(nodes, is_reified, pc.list_element(namings, 0))


def _saying(lines: pa.Array, nodes: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The properties and the values in lines that say something of these nodes."""
    parts = pc.split_pattern(without_end(lines), " ", max_splits=2)
    _require_true(pc.equal(pc.list_element(parts, 0), nodes))
    values = pc.list_element(parts, 2)
    _require_all(_LITERALS, pc.unique(values).to_pylist())
    return pc.list_element(parts, 1), values


def _require(condition: bool) -> None:
    """Raise ValueError for lines that are not as simple as that."""
    if not condition:
        raise ValueError("not as simple")


def _require_true(condition: pa.Array) -> None:
    # Of no values, `all` is null.
    _require(pc.all(condition, min_count=0).as_py())


def _require_all(lines: "re.Pattern[str]", texts: Sequence[str]) -> None:
    _require(lines.fullmatch("\n".join([*texts, ""])) is not None)
