"""Read snapshots: all that a read sees of asserted and inferred facts is of one moment.

A run first publishes its facts and then prunes the journal. A read first takes its snapshot of the asserted facts, the
journal and the hidden facts, and then that of the inferred facts. If a run has replaced these in between, the read
takes both again. So the inferred facts that a read sees take into account all changes that the journal has lost.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

from triples.store.fact_tables import InferredFilter
from triples.store.inferred import hidden
from triples.store.inferred.layout import merged_predicates
from triples.store.inferred.state import State
from triples.store.sessions import Fetch

Result = TypeVar("Result")


class VisibleFacts(NamedTuple):
    """The inferred facts that a read may show."""

    state: State
    # None: no inferred fact may be shown, because too many may have lost their proofs.
    filter: InferredFilter | None


class ReadSnapshots(ABC):
    """Takes the snapshots of one connection, for as long as the connection lasts."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._state: State | None = None

    @contextmanager
    def taken(self, fetch: Fetch, *, always: bool = False) -> Iterator[VisibleFacts | None]:
        """Begin a transaction for one read, and give the block the inferred facts that it may show.

        If there has been no run, the block is given None, and a transaction only with `always`: a single statement
        needs none.
        """
        any_inferred = self._any(fetch)
        if not any_inferred and not always:
            yield None
            return
        try:
            if any_inferred:
                yield self._begin(fetch)
            else:
                self._begin_asserted()
                yield None
        except BaseException:
            with suppress(Exception):
                self.driver.execute("ROLLBACK")
            raise
        self.driver.execute("COMMIT")

    @abstractmethod
    def _any(self, fetch: Fetch) -> bool:
        """True if there seem to be inferred facts; asked outside of a transaction."""

    @abstractmethod
    def _begin_asserted(self) -> None:
        """Begin a read-only transaction whose statements all see the moment of the first one."""

    @abstractmethod
    def _begin(self, fetch: Fetch) -> VisibleFacts | None:
        """Begin the transaction."""


# A read is given what runs statements on a connection, and the snapshots of that connection.
Read = Callable[[Fetch, ReadSnapshots], Result]
# A read of one moment is given the inferred facts that it may show; None if there are none.
ReadOfMoment = Callable[[Fetch, VisibleFacts | None], Result]


def in_snapshot(read: ReadOfMoment[Result], *, always: bool = False) -> Read[Result]:
    """A read within a snapshot; `always` is that of `ReadSnapshots.taken`."""

    def look(fetch: Fetch, snapshots: ReadSnapshots) -> Result:
        with snapshots.taken(fetch, always=always) as shown:
            return read(fetch, shown)

    return look


def visible_facts(state: State, newest: int | None, worst: int | None, *, known: bool) -> VisibleFacts:
    """The facts a read may show. `newest` is the last asserted fact's id, `worst` the greatest `Gone` since the run."""
    if hidden.everything_is_hidden(worst, known=known):
        return VisibleFacts(state, None)
    # A run derives no fact that is asserted. So a fact can be both only if it was asserted after the run.
    asserted = (newest or 0) > state.triples_up_to
    return VisibleFacts(
        state, InferredFilter(asserted, hidden.something_is_hidden(worst), merged_predicates(state.program))
    )
