"""The steps of paths: facts around a term, walked in either direction."""

from dataclasses import dataclass
from math import ulp
from typing import Literal, NamedTuple

from triples.query.blocks import Ends, Fact

Direction = Literal["out", "in", "any"]
Order = Literal["weight", "length"]
# The place of a path in the order: what is first has the least.
Rank = tuple[float, float]

_MARGIN = 1 + 2.0**-48
_NEARLY_NOTHING = 1e-300


# Which facts around a term: whether it is their subject, or else their object; and the predicate, None for all.
Kind = tuple[bool, int | None]


class StepKey(NamedTuple):
    """A step by what it leads to. Among the steps from one term, no two have the same key."""

    end: int
    predicate: int
    reversed: bool


class PathStep(NamedTuple):
    """A fact walked from one of its ends to the other; reversed: from the object to the subject."""

    start: int
    end: int
    fact: Fact
    reversed: bool

    @property
    def key(self) -> StepKey:
        return StepKey(self.end, self.fact.key.predicate, self.reversed)


class Path(NamedTuple):
    """A simple path; its weight is the product of those of its facts, in the order in which they are walked."""

    weight: float
    steps: tuple[PathStep, ...]


class Paths(NamedTuple):
    """The best paths, in order. If time ran out, they are an exact beginning.

    Then every path that is heavier than `complete_above` is among them, or, in the order of lengths, every path of at
    most `complete_within` facts.
    """

    paths: list[Path]
    complete_above: float | None = None
    complete_within: int | None = None


@dataclass(frozen=True, slots=True)
class PathQuestion:
    """A request for paths. `predicates` are ids; None means all."""

    start: int
    goal: int
    predicates: tuple[int, ...] | None = None
    direction: Direction = "any"
    max_length: int = 6
    k: int = 1
    order: Order = "weight"
    min_weight: float = 0.0

    def rank(self, weight: float, length: int) -> Rank:
        """The place of such a path in the order of the question."""
        return (-weight, length) if self.order == "weight" else (length, -weight)

    @property
    def least_weight(self) -> float:
        """Above 0: a product that is too small for a number is none."""
        return max(self.min_weight, ulp(0.0))

    def kinds(self, *, forward: bool) -> list[Kind]:
        """The kinds of facts around a term, each to be read by itself, that make the steps from it, or those to it."""
        sides = {"out": [forward], "in": [not forward], "any": [True, False]}[self.direction]
        return [(is_subject, predicate) for is_subject in sides for predicate in self.predicates or (None,)]


def arm_ends(term: int, kind: Kind) -> Ends:
    is_subject, predicate = kind
    return (term, predicate, None) if is_subject else (None, predicate, term)


def step_of(fact: Fact, *, is_subject: bool, forward: bool) -> PathStep:
    """The step from a term, or to it, by a fact that has the term as its subject, or as its object."""
    subject, _predicate, object_ = fact.key
    if is_subject == forward:
        return PathStep(subject, object_, fact, reversed=False)
    return PathStep(object_, subject, fact, reversed=True)


def product_bound(first: float, second: float) -> float:
    """A product that is never too small, in whatever order the factors of both sides are multiplied.

    Every rounding loses less than the margin gains, and a product of weights is never above a factor. The bound is
    monotonic, and exact where one side is 1. So graphs without weights, where all products tie, have exact bounds.
    """
    return min(first, second, max(first * second * _MARGIN, _NEARLY_NOTHING))
