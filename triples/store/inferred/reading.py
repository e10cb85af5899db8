"""What one connection sees of the inferred facts, so that all that a read sees is of one moment.

A run puts what it has derived in place first and prunes the journal afterwards. A read takes its snapshot of the
asserted facts, the journal and what is hidden first, and then that of the inferred facts; and it begins anew when it
finds that a run has changed these in between. So whatever the journal has lost, the inferred facts that it sees have
taken into account.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from triples.store.fact_tables import InferredFilter
from triples.store.inferred import hidden
from triples.store.inferred.layout import FACTS, STATE, merged_predicates
from triples.store.inferred.state import SELECT_STATE, State, state_of
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.session import PostgreSQLSession
from triples.store.sessions import Fetch, Session
from triples.store.sqlite.dialect import SQLITE
from triples.store.sqlite.inferred_files import attach, current_name, detach


class VisibleFacts(NamedTuple):
    """The inferred facts that a read may show."""

    state: State
    # None: no inferred fact may be shown, since too many may have lost their proofs.
    filter: InferredFilter | None


class ReadSnapshots(ABC):
    """The inferred facts as one connection sees them. Usable as long as the connection lasts."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self._state: State | None = None

    @contextmanager
    def taken(self, fetch: Fetch) -> Iterator[VisibleFacts | None]:
        """A transaction for one read, and what it may show; None, without a transaction, when there has been no run."""
        if not self._any(fetch):
            yield None
            return
        try:
            yield self._begin(fetch)
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


class SQLiteReadSnapshots(ReadSnapshots):
    """The file of inferred facts is attached when a read first wants it, and again when another takes its place."""

    def __init__(self, driver: Any) -> None:
        super().__init__(driver)
        # What the link said when the file was attached, if one was.
        self._linked: str | None = None
        self._attached = False

    def _any(self, _fetch: Fetch) -> bool:
        linked = current_name()
        if linked != self._linked:
            if self._attached:
                detach(self.driver)
                self._attached = False
            self._state = None
            file = attach(self.driver)
            self._attached = file is not None
            # A file that this version of the code cannot read is not attached, and not looked at again.
            self._linked = linked if file is None else file.name
        return self._attached

    def _begin(self, fetch: Fetch) -> VisibleFacts | None:
        while True:
            self.driver.execute("BEGIN")
            state = self._state
            [(newest, worst, known)] = fetch(
                _MOMENT, (0, 0) if state is None else (state.generation, state.changes_up_to)
            )
            if current_name() == self._linked:
                [(generation,)] = fetch(f"SELECT generation FROM {STATE}", ())
                if state is not None and state.generation == generation:
                    return _visible(state, newest, worst, known=bool(known))
                # Known before the next picture of the asserted facts is taken, which thus cannot be older.
                self._state = state_of(fetch(SELECT_STATE, ()))
            self.driver.execute("COMMIT")
            if not self._any(fetch):
                self.driver.execute("BEGIN")
                return None


# The first statement of a transaction: it settles which moment of the database the others see.
_MOMENT = f"SELECT (SELECT max(id) FROM triples_triple), {hidden.worst_gone('?2', SQLITE)}, {hidden.is_known('?1')}"


class PostgreSQLReadSnapshots(ReadSnapshots):
    """Both kinds of facts are in one database, so that one snapshot holds both."""

    def _any(self, fetch: Fetch) -> bool:
        if self._state is None:
            self._state = state_of(fetch(SELECT_STATE, ()))
        return self._state is not None

    def _begin(self, fetch: Fetch) -> VisibleFacts | None:
        cursor = self.driver.execute(_BEGIN, prepare=False)
        while cursor.nextset():
            pass
        found = cursor.fetchall()
        if not found:
            self._state = None
            return None
        [(generation, newest, worst)] = found
        if self._state is None or self._state.generation != generation:
            self._state = state_of(fetch(SELECT_STATE, ()))
            assert self._state is not None
        shown = _visible(self._state, newest, worst, known=True)
        if shown.filter is not None and shown.filter.hidden:
            # The planner does not know yet how many facts are hidden, and keeps a plan that was made for few.
            self.driver.execute("SET LOCAL enable_seqscan = off")
        return shown


# The lock is taken before the snapshot: a run that puts another table in this one's place is waited for or waits.
# What is hidden is known of the generation that stands, since one commit replaces both.
_BEGIN = (
    f"BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE {FACTS} IN ACCESS SHARE MODE;"
    f" SELECT s.generation, (SELECT max(id) FROM triples_triple), {hidden.worst_gone('s.changes_up_to', POSTGRESQL)}"
    f" FROM {STATE} AS s"
)


def _visible(state: State, newest: int | None, worst: int | None, *, known: bool) -> VisibleFacts:
    """`newest` is the last fact asserted, `worst` the greatest `Gone` since the last run."""
    if hidden.everything_is_hidden(worst, known=known):
        return VisibleFacts(state, None)
    # A run derives nothing that is asserted, so what is now came after it.
    asserted = (newest or 0) > state.triples_up_to
    return VisibleFacts(
        state, InferredFilter(asserted, hidden.something_is_hidden(worst), merged_predicates(state.program))
    )


def open_snapshots(session: Session) -> ReadSnapshots:
    """What the session's connection sees; at most one for each connection."""
    return (PostgreSQLReadSnapshots if isinstance(session, PostgreSQLSession) else SQLiteReadSnapshots)(session.driver)
