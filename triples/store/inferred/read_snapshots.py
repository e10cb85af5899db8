"""What one connection sees of the inferred facts, so that all that a read sees is of one moment.

A run puts what it has derived in place first and prunes the journal afterwards. A read takes its snapshot of the
asserted facts, the journal and what is hidden first, and then that of the inferred facts; and it begins anew when it
finds that a run has changed these in between. So whatever the journal has lost, the inferred facts that it sees have
taken into account.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, NamedTuple

from triples.store.fact_tables import InferredFilter
from triples.store.inferred import hidden
from triples.store.inferred.layout import merged_predicates
from triples.store.inferred.state import State
from triples.store.sessions import Fetch


class VisibleFacts(NamedTuple):
    """The inferred facts that a read may show."""

    state: State
    # None: no inferred fact may be shown, since too many may have lost their proofs.
    filter: InferredFilter | None


class ReadSnapshots(ABC):
    """The inferred facts as one connection sees them. Usable as long as the connection lasts."""

    # Begins a transaction that only reads, and sees one moment from its first statement on.
    BEGIN: ClassVar[str]

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._state: State | None = None

    @contextmanager
    def taken(self, fetch: Fetch, *, always: bool = False) -> Iterator[VisibleFacts | None]:
        """A transaction for one read, and what it may show; None when there has been no run.

        Then there is a transaction only with `always`: a single statement needs none.
        """
        any_inferred = self._any(fetch)
        if not any_inferred and not always:
            yield None
            return
        try:
            if any_inferred:
                yield self._begin(fetch)
            else:
                self.driver.execute(self.BEGIN)
                yield None
        except BaseException:
            with suppress(Exception):
                self.driver.execute("ROLLBACK")
            raise
        self.driver.execute("COMMIT")

    @abstractmethod
    def _any(self, fetch: Fetch) -> bool:
        """Whether there are inferred facts, as far as can be told outside of a transaction."""

    @abstractmethod
    def _begin(self, fetch: Fetch) -> VisibleFacts | None:
        """Begin the transaction."""


def visible_facts(state: State, newest: int | None, worst: int | None, *, known: bool) -> VisibleFacts:
    """`newest` is the last fact asserted, `worst` the greatest `Gone` since the last run."""
    if hidden.everything_is_hidden(worst, known=known):
        return VisibleFacts(state, None)
    # A run derives nothing that is asserted, so what is now came after it.
    asserted = (newest or 0) > state.triples_up_to
    return VisibleFacts(
        state, InferredFilter(asserted, hidden.something_is_hidden(worst), merged_predicates(state.program))
    )
