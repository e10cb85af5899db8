"""A fast reader of lines of N-Triples. It works on columns, and looks at each term once, however often it occurs.

If anything is out of the ordinary, there are no facts, and `RdfReader` reads them one by one and gives reasons.
"""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from triples.exchange.facts import FactMaker
from triples.exchange.rdf.annotated import REIFIES, weight_in
from triples.exchange.rdf.clean_texts import CleanTexts, TextsOf
from triples.exchange.rdf.terms import TermTexts
from triples.fact_validation import clean_predicate
from triples.models import Source
from triples.store.fact_columns import PLACES, TEXT, FactColumns

_END = " ."
# A node without a label, as the parser names it.
RANDOM_NODE = re.compile(r"_:[a-f][0-9a-f]{19,31}\b")


def plain_columns(content: bytes, texts: TermTexts, maker: FactMaker) -> FactColumns | None:
    """The facts of whole lines of which each is a fact. None if any is refused, or not as simple."""
    try:
        return _unweighed(_terms(content), texts, maker)
    except ValueError:
        # Of Arrow, of a term that is none, of a text that cannot be stored.
        return None


def annotated_columns(content: bytes, texts: TermTexts, maker: FactMaker, weights: Sequence[str]) -> FactColumns | None:
    """The same, where a fact may be followed by a node that reifies it, and that by its weight, and nothing else."""
    try:
        return _annotated_facts(_terms(content), texts, maker, weights)
    except ValueError:
        return None


def lines_of(content: bytes) -> pa.Array:
    """The lines that are not empty. Raises ValueError for what is not UTF-8, and for lone carriage returns."""
    if b"\r" in content and b"\r" in (content := content.replace(b"\r\n", b"\n")):
        raise ValueError("not as simple")
    whole = pa.array([content], pa.binary()).cast(pa.string())
    lines = pc.split_pattern(whole, "\n").flatten()
    return lines.filter(pc.not_equal(lines, ""))


def without_end(lines: pa.Array) -> pa.Array:
    """The lines without the end of a statement. Raises ValueError if one has none."""
    if not pc.all(pc.ends_with(lines, _END), min_count=0).as_py():
        raise ValueError("not as simple")
    # A slice of characters would look at each of them.
    return pc.binary_slice(lines.view(pa.binary()), 0, -len(_END)).view(pa.string())


def _terms(content: bytes) -> list[pa.Array]:
    """The subjects, predicates and objects as they are written. Raises ValueError."""
    parts = pc.split_pattern(without_end(lines_of(content)), " ", max_splits=2)
    return [pc.list_element(parts, place) for place in range(3)]


def _annotated_facts(
    terms: list[pa.Array], texts: TermTexts, maker: FactMaker, weights: Sequence[str]
) -> FactColumns | None:
    subjects, predicates, objects = terms
    reifies = pc.equal(predicates, str(REIFIES))
    nodes = pc.indices_nonzero(reifies).cast(pa.int64())
    count = len(subjects)
    if not len(nodes):
        return None if _has_random_nodes(terms) else _unweighed(terms, texts, maker)
    last = count - 1
    triples = pc.binary_join_element_wise("<<(", *terms, ")>>", " ")
    # The parser gives the node of a fact with a string before the fact itself.
    is_before = pc.equal(triples.take(pc.min_element_wise(pc.add(nodes, 1), last)), objects.take(nodes))
    facts = pc.max_element_wise(pc.if_else(is_before, pc.add(nodes, 1), pc.subtract(nodes, 1)), 0)
    after = pc.if_else(is_before, pc.add(nodes, 2), pc.add(nodes, 1))
    if pc.max(after).as_py() > last:
        return None
    is_alike = pc.and_(
        pc.equal(triples.take(facts), objects.take(nodes)),
        pc.and_(
            pc.equal(subjects.take(nodes), subjects.take(after)),
            pc.is_in(predicates.take(after), pa.array([f"<{iri}>" for iri in weights])),
        ),
    )
    every = pa.array(range(count), pa.int64())
    rest = pc.invert(pc.is_in(every, pa.concat_arrays([nodes, after])))
    kept = [column.filter(rest) for column in terms]
    if not pc.all(is_alike).as_py() or _has_random_nodes(kept):
        return None
    said = objects.take(after).dictionary_encode()
    values = [weight_in(texts.term_of_written(text), maker) for text in said.dictionary.to_pylist()]
    weight = pc.replace_with_mask(
        pa.repeat(maker.weight(None), count),
        pc.is_in(every, facts),
        pa.array(values, pa.float64()).take(said.indices),
    )
    return facts_of_terms(kept, weight.filter(rest), CleanTexts(texts))


def _unweighed(terms: list[pa.Array], texts: TermTexts, maker: FactMaker) -> FactColumns:
    return facts_of_terms(terms, pa.repeat(maker.weight(None), len(terms[0])), CleanTexts(texts))


def _has_random_nodes(terms: list[pa.Array]) -> bool:
    return any(pc.any(pc.match_substring_regex(terms[place], RANDOM_NODE.pattern)).as_py() for place in (0, 2))


def facts_of_terms(
    terms: Sequence[pa.Array], weights: pa.Array, texts_of: TextsOf, metadata: pa.Array | None = None
) -> FactColumns:
    """The facts of these subjects, predicates and objects as they are written. Raises ValueError for what is none."""
    subjects, predicates, objects = terms
    count = len(subjects)
    ends = pa.concat_arrays([subjects, objects]).dictionary_encode()
    verbs = predicates.dictionary_encode()
    written = verbs.dictionary.to_pylist()
    if pc.any(pc.starts_with(subjects, '"')).as_py():
        raise ValueError("a literal as subject")
    if any(not verb or verb[0] in '"_' or verb.startswith("<<") for verb in written):
        raise ValueError("no IRI as predicate")
    found = texts_of(ends.dictionary.to_pylist())
    start = len(found)
    found += map(clean_predicate, texts_of(written))
    places = [ends.indices[:count], pc.add(verbs.indices, pa.scalar(start, pa.int32())), ends.indices[count:]]
    described = pa.nulls(count, TEXT) if metadata is None else metadata
    return FactColumns(pa.array(found, TEXT), pa.table([*places, weights, described], schema=PLACES), Source.IMPORT)
