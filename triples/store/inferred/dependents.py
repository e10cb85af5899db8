"""Search for the inferred facts that rest on removed facts. It follows the stored proofs, within a budget."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from time import monotonic, thread_time
from typing import Any, ClassVar

from triples.recursion.programs import Key, Program
from triples.store.dialect import Dialect
from triples.store.inferred.engine_source import Source

# The budget. On a quiet machine all of it takes a tenth of a second. The limit of the clock is higher than those of
# instructions and processor time, so that a busy machine hides no more than a quiet one.
MOST_FACTS = 5_000
MOST_ROWS = 50_000
MOST_INSTRUCTIONS = 1_000_000
MOST_PROCESSOR_SECONDS = 0.1
MOST_SECONDS = 0.5

_FACTS_AT_ONCE = 500

# Finds which of these facts are hidden already; then all facts that rest on them are hidden, too.
HiddenAmong = Callable[[Collection[Key]], set[Key]]


class TooMuch(Exception):
    """The budget is spent."""


class Dependents(ABC):
    """The inferred facts that a connection sees, searched by their proofs."""

    dialect: ClassVar[Dialect]

    def __init__(self, driver: Any, program: Program) -> None:
        self.driver = driver
        self._program = program

    def resting_on(self, removed: Collection[Key], denied: Collection[Key], hidden_among: HiddenAmong) -> set[Key]:
        """Find the inferred facts that rest on deleted facts or on facts of weight 0, except those hidden already.

        Raises TooMuch. A deleted fact that is also inferred remains as an inferred fact, so what rests on it stays.
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
        """The stored proofs. Raises TooMuch if their look-up exceeds the budget."""
