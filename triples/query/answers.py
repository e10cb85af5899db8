"""Types of the answers to questions of several patterns, and their order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from triples.query.blocks import Fact
from triples.query.lookups import Terms


class Position(NamedTuple):
    """A place in the order of answers: by falling weight, then by the ids of the selected terms; null comes first."""

    weight: float
    terms: Terms


# Not frozen, which would make each of thousands take three times as long.
@dataclass(slots=True)
class Answer:
    """The selected terms, NO_TERM where null, and the weight that facts, one for each pattern, give them at most."""

    terms: Terms
    weight: float
    # Few who ask want to see the facts.
    find_facts: Callable[[], tuple[Fact, ...]] = field(compare=False, repr=False)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that give the answer its weight, in the order of the patterns."""
        return self.find_facts()


class Ranking(NamedTuple):
    """The first answers. If time ran out, every answer that is heavier than `complete_above` is among them."""

    answers: list[Answer]
    complete_above: float | None
    # How many facts were read for it.
    read: int = 0
    # How many different answers there are in all, if they were all found.
    total: int | None = None


class GroupCount(NamedTuple):
    """The values of `group_by`, NO_TERM where null, how many different answers have them, and the greatest weight."""

    terms: Terms
    answers: int
    weight: float

    @property
    def rank(self) -> tuple[int, float, Terms]:
        """The order of groups: most frequent first, then heaviest, then by the ids of their terms."""
        return -self.answers, -self.weight, self.terms
