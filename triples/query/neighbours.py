"""Neighbours of a term: its heaviest facts in both directions, and its predicates with the numbers of their facts.

The cost does not grow with the number of facts around the term: facts are read by index, no more than are shown, and
counted up to a limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple

from triples.query.blocks import Ends, Fact
from triples.query.graph_facts import GraphFacts, Named
from triples.query.path_facts import Direction
from triples.query.predicates import Side

# Where a term of more than so many facts has more predicates than this, or, for facts that lead to it, the graph has,
# only those of the heaviest facts are known: each has to be looked up.
MOST_PREDICATES = 64
_HEAVIEST = 50
# The facts of each predicate are counted up to the first number, if these are few predicates. Otherwise up to the
# second one, and those of which there are more, as far as so many in all allow.
AROUND_LIMIT, _FIRST_LIMIT = 1_000, 50
_MOST_COUNTED, _FEW = 5_000, 5
# Around so many terms beside the one that was asked about, the facts are counted, up to this number.
MOST_BESIDE = 200
BESIDE_LIMIT = 100


class Around(NamedTuple):
    """A predicate, and the numbers of its facts from the term and to it, each up to the same limit."""

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
    # The number up to which the facts of each predicate were counted.
    counted_up_to: int
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
        return Neighbours([], [], Named({}, {}), 0, capped=False, counted_up_to=AROUND_LIMIT, complete=True)
    term = ids[asked.term]
    predicates = None
    if asked.predicates is not None:
        predicates = sorted({ids[text] for text in asked.predicates if text in ids})
    facts = _heaviest(source, term, asked, predicates)
    sides, complete = _predicates(source, term, asked.direction, predicates)
    counts, limit = _counted(source, term, sides)
    around = _around(counts)
    # A fact from the term to itself counts both ways.
    loops = sum(fact.key.subject == fact.key.object for fact in facts) if asked.direction == "any" else 0
    counted = sum(one.out + one.in_ for one in around)
    return Neighbours(
        facts,
        around,
        source.named(facts, {term, *(one.predicate for one in around)}),
        max(0, counted - len(facts) - loops),
        capped=any(limit in {one.out, one.in_} for one in around),
        counted_up_to=limit,
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


def _predicates(
    source: GraphFacts, term: int, direction: Direction, wanted: Sequence[int] | None
) -> tuple[dict[Side, Sequence[int]], bool]:
    """The predicates to be counted on each side of the facts, and whether these are all."""
    sides: list[Side] = []
    if direction != "in":
        sides.append("subject")
    if direction != "out":
        sides.append("object")
    if wanted is not None:
        return dict.fromkeys(sides, wanted), True
    found: dict[Side, Sequence[int]] = {}
    complete = True
    for side in sides:
        is_subject = side == "subject"
        ends: Ends = (term, None, None) if is_subject else (None, None, term)
        heaviest = source.block(ends, None, _HEAVIEST)
        found[side] = list(dict.fromkeys([fact.key.predicate for fact in heaviest]))
        if source.number(ends, _HEAVIEST + 1) == len(heaviest):
            # These are all facts; those of weight 0 would be counted, too.
            continue
        # No index has the predicates of a term in order, so those of the graph are tried.
        predicates = source.predicates(term if is_subject else None, MOST_PREDICATES + 1)
        if len(predicates) <= MOST_PREDICATES:
            found[side] = predicates
        else:
            complete = False
    return found, complete


def _counted(
    source: GraphFacts, term: int, sides: Mapping[Side, Sequence[int]]
) -> tuple[dict[Side, dict[int, int]], int]:
    """The numbers of facts of each predicate, and the number up to which all of them were counted."""
    few = sum(map(len, sides.values())) <= _FEW
    first = AROUND_LIMIT if few else _FIRST_LIMIT
    counts = {side: source.numbers_by_predicate(side, term, predicates, first) for side, predicates in sides.items()}
    frequent = {side: [one for one, number in counts[side].items() if number == first] for side in sides}
    number = max(sum(map(len, frequent.values())), 1)
    limit = min(_MOST_COUNTED // number // 100 * 100, AROUND_LIMIT)
    # To count a little further would take as long again.
    if few or limit <= 2 * first:
        return counts, first
    for side, predicates in frequent.items():
        counts[side] |= source.numbers_by_predicate(side, term, predicates, limit)
    return counts, limit


def _around(counts: Mapping[Side, Mapping[int, int]]) -> list[Around]:
    out, in_ = counts.get("subject", {}), counts.get("object", {})
    around = [Around(predicate, out.get(predicate, 0), in_.get(predicate, 0)) for predicate in {*out, *in_}]
    found = [one for one in around if one.out or one.in_]
    return sorted(found, key=lambda one: (-one.out - one.in_, one.predicate))
