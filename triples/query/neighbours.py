"""Neighbours of a term: its heaviest facts in both directions, and its predicates with the numbers of their facts.

The cost does not grow with the number of facts around the term: facts are read by index, no more than are shown, and
counted up to a limit.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple

from triples.query.blocks import Ends, Fact
from triples.query.graph_facts import GraphFacts, Named
from triples.query.path_facts import Direction
from triples.query.predicates import AROUND_LIMIT

# Predicates of facts that lead to the term are looked for one by one; where the graph has more, only those of the
# heaviest facts are known.
_MOST_PREDICATES = 64
_HEAVIEST = 200
# Around so many terms beside the one that was asked about, the facts are counted, up to this number.
MOST_BESIDE = 200
BESIDE_LIMIT = 100


class Around(NamedTuple):
    """A predicate, and the numbers of its facts from the term and to it, each at most AROUND_LIMIT."""

    predicate: int
    out: int
    in_: int


class Neighbours(NamedTuple):
    """The heaviest facts around a term, and its predicates, the most frequent first."""

    facts: Sequence[Fact]
    predicates: Sequence[Around]
    named: Named
    # The number of facts with these predicates that are not among the heaviest, and whether there are even more.
    more: int
    capped: bool
    # Whether these are all predicates.
    complete: bool


class AskedNeighbours(NamedTuple):
    """The facts that are wanted. If `predicates` is None, any."""

    term: str
    k: int
    direction: Direction
    predicates: Sequence[str] | None
    min_weight: float


def find_neighbours(asked: AskedNeighbours, source: GraphFacts) -> Neighbours:
    """The facts around a term. There are none if the text is no term."""
    ids = source.ids({asked.term, *(asked.predicates or ())})
    if asked.term not in ids:
        return Neighbours([], [], Named({}, {}), 0, capped=False, complete=True)
    term = ids[asked.term]
    predicates = None
    if asked.predicates is not None:
        predicates = sorted({ids[text] for text in asked.predicates if text in ids})
    facts = _heaviest(source, term, asked, predicates)
    around, complete = _around(source, term, asked.direction, predicates)
    # A fact from the term to itself counts both ways.
    loops = sum(fact.key.subject == fact.key.object for fact in facts) if asked.direction == "any" else 0
    counted = sum(one.out + one.in_ for one in around)
    return Neighbours(
        facts,
        around,
        source.named(facts, {term, *(one.predicate for one in around)}),
        max(0, counted - len(facts) - loops),
        capped=any(AROUND_LIMIT in {one.out, one.in_} for one in around),
        complete=complete,
    )


def count_beside(found: Neighbours, source: GraphFacts) -> dict[str, int]:
    """The number of facts around each term of these facts, BESIDE_LIMIT at most, for the first MOST_BESIDE terms."""
    terms = dict.fromkeys(term for fact in found.facts for term in (fact.key.subject, fact.key.object))
    return {found.named.texts[term]: _around_one(source, term) for term in islice(terms, MOST_BESIDE)}


def _around_one(source: GraphFacts, term: int) -> int:
    out = source.number((term, None, None), BESIDE_LIMIT)
    return min(BESIDE_LIMIT, out + source.number((None, None, term), BESIDE_LIMIT))


def _heaviest(source: GraphFacts, term: int, asked: AskedNeighbours, predicates: Sequence[int] | None) -> list[Fact]:
    blocks = [source.block(ends, None, asked.k) for ends in _ends(term, asked.direction, predicates)]
    merged = merge(*blocks, key=lambda fact: (-fact.weight, fact.id is None, fact.id or 0, fact.key))
    wanted = (fact for fact in dict.fromkeys(merged) if fact.weight >= asked.min_weight)
    return list(islice(wanted, asked.k))


def _ends(term: int, direction: Direction, predicates: Sequence[int] | None) -> Iterator[Ends]:
    for predicate in [None] if predicates is None else predicates:
        if direction != "in":
            yield term, predicate, None
        if direction != "out":
            yield None, predicate, term


def _around(
    source: GraphFacts, term: int, direction: Direction, wanted: Sequence[int] | None
) -> tuple[list[Around], bool]:
    """The predicates, and whether these are all."""
    out: dict[int, int] = {}
    in_: dict[int, int] = {}
    complete = True
    if direction != "in":
        leading = source.predicates(term) if wanted is None else wanted
        out = source.numbers_by_predicate("subject", term, leading)
    if direction != "out":
        candidates: Iterable[int] = wanted if wanted is not None else source.predicates(None, _MOST_PREDICATES + 1)
        if wanted is None and len(list(candidates)) > _MOST_PREDICATES:
            complete = False
            candidates = {fact.key.predicate for fact in source.block((None, None, term), None, _HEAVIEST)}
        in_ = source.numbers_by_predicate("object", term, list(candidates))
    around = [Around(predicate, out.get(predicate, 0), in_.get(predicate, 0)) for predicate in {*out, *in_}]
    found = [one for one in around if one.out or one.in_]
    return sorted(found, key=lambda one: (-one.out - one.in_, one.predicate)), complete
