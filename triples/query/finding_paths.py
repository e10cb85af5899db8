"""Finding paths: it looks up the ids of a question, searches the best paths, and reads the texts of their facts."""

from collections.abc import Sequence
from typing import NamedTuple

from triples.query.best_paths import best_paths
from triples.query.finding_answers import Expired
from triples.query.graph_facts import GraphFacts, Named
from triples.query.path_facts import Direction, Order, Path, PathQuestion


class AskedPaths(NamedTuple):
    """A question about paths, like `PathQuestion` but with texts."""

    start: str
    goal: str
    predicates: Sequence[str] | None
    direction: Direction
    max_length: int
    k: int
    order: Order
    min_weight: float


class FoundPaths(NamedTuple):
    """Paths in order, and the texts of their terms. The last two members are those of `Paths`."""

    paths: Sequence[Path]
    named: Named
    complete_above: float | None
    complete_within: int | None


def find_paths(asked: AskedPaths, source: GraphFacts, expired: Expired) -> FoundPaths:
    """The best paths. There are none if an end is no term."""
    ids = source.ids({asked.start, asked.goal, *(asked.predicates or ())})
    predicates = (
        None if asked.predicates is None else tuple(sorted({ids[text] for text in asked.predicates if text in ids}))
    )
    if asked.start not in ids or asked.goal not in ids or predicates == ():
        return FoundPaths([], Named({}, {}), None, None)
    question = PathQuestion(
        ids[asked.start],
        ids[asked.goal],
        predicates,
        asked.direction,
        asked.max_length,
        asked.k,
        asked.order,
        asked.min_weight,
    )
    found = best_paths(question, source, expired=expired)
    facts = [step.fact for path in found.paths for step in path.steps]
    return FoundPaths(found.paths, source.named(facts), found.complete_above, found.complete_within)
