"""The steps of the paths that are wanted, once a round has read all their facts."""

from collections.abc import Sequence
from typing import NamedTuple

from triples.query.known_paths import Graph
from triples.query.path_end import End
from triples.query.path_facts import PathQuestion, product_bound
from triples.query.path_limit import Limit
from triples.query.path_reach import Reach
from triples.query.path_side import Label


class Known(NamedTuple):
    """The steps of all wanted paths, and bounds of what is left from a term."""

    graph: Graph
    reach: Reach


def known_steps(question: PathQuestion, ends: tuple[End, End], limit: Limit) -> Known:
    """The steps of all walks that are wanted, once all their facts are read."""
    graph: Graph = {}
    meeting = _meeting(ends, limit)
    for end, other, forward in zip(ends, reversed(ends), (True, False), strict=True):
        rests = [(term, other.best[term]) for term in meeting]
        for near, fact in end.facts_to(rests, limit.least(0)):
            step = fact.step(near, forward=forward)
            graph.setdefault(step.start, {})[step.key] = step
    return Known(graph, _reach_of(question, graph))


def _meeting(ends: tuple[End, End], limit: Limit) -> Sequence[int]:
    """The terms where walks from both ends meet that are wanted."""
    one, other = ends
    longest = limit.longest
    return [
        term
        for term in one.best.keys() & other.best.keys()
        if limit.wants(one.best[term], other.best[term], 0)
        and any(
            limit.wants(labels.get(term, 0.0), other.weight_within(term, longest - length), length)
            for length, labels in enumerate(one.labels[: longest + 1])
        )
    ]


def _reach_of(question: PathQuestion, graph: Graph) -> Reach:
    """The lengths and weights that are left to the goal, from each term, within the graph."""
    into: dict[int, list[tuple[int, float]]] = {}
    for start, steps in graph.items():
        for step in steps.values():
            into.setdefault(step.end, []).append((start, step.fact.weight))
    labels: dict[int, list[Label]] = {question.goal: [Label(0, 1.0)]}
    frontier = {question.goal: 1.0}
    for length in range(1, question.max_length + 1):
        reached: dict[int, float] = {}
        for term, weight in frontier.items():
            for near, own in into.get(term, ()):
                bound = product_bound(weight, own)
                if bound > max(reached.get(near, 0.0), labels[near][-1].weight if near in labels else 0.0):
                    reached[near] = bound
        for term, weight in reached.items():
            labels.setdefault(term, []).append(Label(length, weight))
        frontier = reached
    return Reach(labels, [0.0] * question.max_length)
