"""From facts that are gone to the inferred facts that rest on them, by the stored proofs and within a budget."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from time import monotonic, thread_time
from typing import Any, ClassVar

from triples.recursion.programs import Key, Program
from triples.store.dialect import Dialect
from triples.store.inferred.fact_sources import Source

# The budget. What SQLite and the processor count comes long before the clock, so that a busy machine hides no more than
# a quiet one, where all of it takes a tenth of a second.
MOST_FACTS = 5_000
MOST_ROWS = 50_000
MOST_INSTRUCTIONS = 1_000_000
MOST_PROCESSOR_SECONDS = 0.1
MOST_SECONDS = 0.5

_FACTS_AT_ONCE = 500

# Which of these facts are hidden already, with all that rests on them.
HiddenAmong = Callable[[Collection[Key]], set[Key]]


class TooMuch(Exception):
    """The budget is spent."""


class Dependents(ABC):
    """Follows the proofs of the inferred facts that a connection sees."""

    dialect: ClassVar[Dialect]

    def __init__(self, driver: Any, program: Program) -> None:
        self.driver = driver
        self._program = program

    def resting_on(self, removed: Collection[Key], denied: Collection[Key], hidden_among: HiddenAmong) -> set[Key]:
        """The inferred facts that rest on facts that were deleted or got weight 0, but for those that are hidden.

        Raises TooMuch. A fact that was asserted over an inferred one and is deleted again is inferred as before.
        """
        deadlines = thread_time() + MOST_PROCESSOR_SECONDS, monotonic() + MOST_SECONDS
        with self._source() as source:
            frontier = [*denied, *set(removed).difference(source.proofs(removed))]
            found: set[Key] = set()
            while frontier:
                reached: set[Key] = set()
                for start in range(0, len(frontier), _FACTS_AT_ONCE):
                    resting = source.resting_on(frontier[start : start + _FACTS_AT_ONCE])
                    reached.update(key for key, _ in resting if key not in found)
                    if len(found) + len(reached) > MOST_FACTS:
                        raise TooMuch
                    if thread_time() > deadlines[0] or monotonic() > deadlines[1]:
                        raise TooMuch
                frontier = sorted(reached - hidden_among(reached))
                found.update(frontier)
        return found

    @abstractmethod
    def _source(self) -> AbstractContextManager[Source]:
        """The stored proofs. Raises TooMuch when looking them up takes too much."""
