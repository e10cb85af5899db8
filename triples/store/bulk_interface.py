"""The interface of a bulk load, which `triples.store.sqlite` and `triples.store.postgresql` implement."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from triples.store.sessions import Session

if TYPE_CHECKING:
    # They need Arrow, which no worker loads.
    from triples.store.fact_columns import FactColumns
    from triples.store.first_facts import FirstFacts


class InitialLoad(Protocol):
    """A fast way to load the first facts of a graph."""

    # An import gathers at most this many facts for it, and loses them if it is killed before the commit.
    MOST_FACTS: int

    def ready_to_sort(self, session: Session, /) -> AbstractContextManager[None]:
        """Enter this before the transaction, and leave it after."""

    def load(
        self, session: Session, facts: "FactColumns", look_up: Callable[[], None], /, *, keep_last: bool
    ) -> "FirstFacts | None":
        """Store all facts in the open transaction. Does nothing and returns None if the graph has facts already.

        If no other writer can be let through in between, it does nothing and returns None too, where others are busy.
        Else it calls `look_up`, which may raise, a few times a second. `keep_last` is that of `FactColumns.rows`.
        """


class BulkLoad(Protocol):
    """The sizes of a bulk load's transactions, and when it lets other writers go first."""

    # A slice is as large as can be written in this time; other writers may have to wait for it.
    SLICE_SECONDS: float
    # The number of slices that are committed together while no other writer waits; the most after a long quiet time.
    FEWEST_SLICES: int
    MOST_SLICES: int

    def roomy(self) -> AbstractContextManager[None]:
        """For a transaction in the block, give Django's connection room for all that it changes, if that is limited."""

    def unchecked(self) -> AbstractContextManager[None]:
        """For transactions in the block, turn off what the tables check row by row, if the load checks it faster."""

    def others_wait(self) -> bool:
        """True if other writers wait for the write lock. True if the database does not tell."""

    def give_way(self) -> None:
        """After a commit, let the writers that wait go first."""

    def initial_load(self, facts: float, /) -> InitialLoad | None:
        """The initial load, if the graph is empty and this number of facts is large enough for it; else None."""
