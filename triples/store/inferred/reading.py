"""What one connection sees of the inferred facts, so that all that a read sees is of one moment.

A run takes what it has derived into use first and prunes the journal afterwards. A read takes its picture of the
asserted facts and of the journal first, and then that of the inferred ones; and it begins anew when it finds that a
run has changed these in between. So whatever the journal has lost, the inferred facts that it sees have made up for.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from triples.store.inferred.files import attach, current_name, detach
from triples.store.inferred.hidden import TABLE, Hidden
from triples.store.inferred.layout import FACTS, STATE, merged_predicates
from triples.store.inferred.state import SELECT_STATE, State, state_of
from triples.store.inferred.statements import Screen
from triples.store.patterns import POSTGRESQL, SQLITE, Dialect
from triples.store.postgresql import PostgreSQLSession
from triples.store.sessions import Fetch, Session


class View(NamedTuple):
    """The inferred facts that a read may show."""

    state: State
    # None: no inferred fact may be shown, since too many may have lost their proofs.
    screen: Screen | None


class Sight(ABC):
    """The inferred facts as one connection sees them. Usable as long as the connection lasts."""

    def __init__(self, driver: Any, dialect: Dialect) -> None:
        self.driver = driver
        self._state: State | None = None
        self._hidden = Hidden(dialect)
        self._has_table = False

    @contextmanager
    def view(self, fetch: Fetch) -> Iterator[View | None]:
        """A transaction for one read, and what it may show; None, without a transaction, when there has been no run."""
        if not self._any(fetch):
            yield None
            return
        if not self._has_table:
            self.driver.execute(TABLE)
            self._has_table = True
        try:
            yield self._begin(fetch)
        except BaseException:
            # What was hidden by this transaction is hidden no more.
            self._hidden.forget()
            with suppress(Exception):
                self.driver.execute("ROLLBACK")
            raise
        self.driver.execute("COMMIT")

    @abstractmethod
    def _any(self, fetch: Fetch) -> bool:
        """Whether there are inferred facts, as far as can be told outside of a transaction."""

    @abstractmethod
    def _begin(self, fetch: Fetch) -> View | None:
        """Begin the transaction."""

    def _hide(self, fetch: Fetch, state: State, mark: int | None, newest: int | None) -> View:
        """`mark` tells states of the journal apart, `newest` is the last fact asserted."""
        self._hidden.update(fetch, self.driver.execute, state, mark)
        if self._hidden.everything:
            return View(state, None)
        # A run derives nothing that is asserted, so what is now came after it.
        asserted = (newest or 0) > state.triples_up_to
        return View(state, Screen(asserted, bool(self._hidden), merged_predicates(state.program)))


class SQLiteSight(Sight):
    """The file of inferred facts is attached when a read first wants it, and again when another takes its place."""

    def __init__(self, driver: Any) -> None:
        super().__init__(driver, SQLITE)
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

    def _begin(self, fetch: Fetch) -> View | None:
        while True:
            self.driver.execute("BEGIN")
            [newest] = fetch(_NEWEST, ())
            if current_name() == self._linked:
                [(generation,)] = fetch(f"SELECT generation FROM {STATE}", ())
                if self._state is not None and self._state.generation == generation:
                    return self._hide(fetch, self._state, *newest)
                # Known before the next picture of the asserted facts is taken, which thus cannot be older.
                self._state = state_of(fetch(SELECT_STATE, ()))
            self.driver.execute("COMMIT")
            if not self._any(fetch):
                self.driver.execute("BEGIN")
                return None


# The first statement of a transaction: it settles which moment of the database the others see.
_NEWEST = "SELECT (SELECT max(id) FROM triples_change), (SELECT max(id) FROM triples_triple)"


class PostgreSQLSight(Sight):
    """Both kinds of facts are in one database, so that one snapshot holds both."""

    def __init__(self, driver: Any) -> None:
        super().__init__(driver, POSTGRESQL)

    def _any(self, fetch: Fetch) -> bool:
        if self._state is None:
            self._state = state_of(fetch(SELECT_STATE, ()))
        return self._state is not None

    def _begin(self, fetch: Fetch) -> View | None:
        cursor = self.driver.execute(_BEGIN, prepare=False)
        while cursor.nextset():
            pass
        found = cursor.fetchall()
        if not found:
            self._state = None
            return None
        [(generation, mark, newest)] = found
        if self._state is None or self._state.generation != generation:
            self._state = state_of(fetch(SELECT_STATE, ()))
            assert self._state is not None
        return self._hide(fetch, self._state, mark, newest)


# The lock is taken before the snapshot: a run that puts another table in this one's place is waited for or waits.
# A writer that took its id first may commit last, so only their number tells whether there are more changes.
_BEGIN = (
    f"BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE {FACTS} IN ACCESS SHARE MODE;"
    " SELECT s.generation, (SELECT count(*) FROM triples_change AS c WHERE c.id > s.changes_up_to),"
    f" (SELECT max(id) FROM triples_triple) FROM {STATE} AS s"
)


def open_sight(session: Session) -> Sight:
    """What the session's connection sees; at most one for each connection."""
    return (PostgreSQLSight if isinstance(session, PostgreSQLSession) else SQLiteSight)(session.driver)
