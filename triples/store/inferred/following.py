"""From facts that are gone to the inferred facts that rest on them, by the stored proofs and within a budget."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from time import monotonic, thread_time
from typing import Any, ClassVar

from psycopg import errors

from triples.recursion.overlay import Bound
from triples.recursion.programs import Key, Program
from triples.store.inferred.files import open_current
from triples.store.inferred.sources import (
    LOOK_UP_BY_INDEX,
    Lookup,
    Source,
    SQLiteSource,
    columns_of,
    postgresql_statement,
)
from triples.store.inferred.state import State, current_state
from triples.store.patterns import POSTGRESQL, SQLITE, Dialect
from triples.store.postgresql import PostgreSQLSession
from triples.store.sessions import Session

# The budget. What SQLite and the processor count comes long before the clock, so that a busy machine hides no more than
# a quiet one, where all of it takes a tenth of a second.
MOST_FACTS = 5_000
MOST_ROWS = 50_000
MOST_INSTRUCTIONS = 1_000_000
MOST_PROCESSOR_SECONDS = 0.1
MOST_SECONDS = 0.5

_INSTRUCTIONS_AT_ONCE = 10_000
_FACTS_AT_ONCE = 500

# Which of these facts are hidden already, with all that rests on them.
HiddenAmong = Callable[[Collection[Key]], set[Key]]


class TooMuch(Exception):
    """The budget is spent."""


class Follower(ABC):
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
    @contextmanager
    def _source(self) -> Iterator[Source]:
        """The stored proofs. Raises TooMuch when looking them up takes too much."""


class SQLiteFollower(Follower):
    """On a connection to the file of inferred facts itself."""

    dialect = SQLITE

    @contextmanager
    def _source(self) -> Iterator[Source]:
        left = MOST_INSTRUCTIONS // _INSTRUCTIONS_AT_ONCE

        def is_too_much() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        self.driver.set_progress_handler(is_too_much, _INSTRUCTIONS_AT_ONCE)
        try:
            yield SQLiteSource(self.driver, self._program)
        except sqlite3.Error as error:
            # A file that cannot be read must not keep anybody from deleting facts.
            raise TooMuch from error
        finally:
            self.driver.set_progress_handler(None, 0)


class _ShortSource(Source):
    """One on PostgreSQL that takes few steps for few rows; its settings are those of `LOOK_UP_BY_INDEX`."""

    def _rows(self, lookup: Lookup, bound: Sequence[Bound]) -> Iterator[Any]:
        statement = f"{postgresql_statement(lookup)} LIMIT {MOST_ROWS + 1}"
        rows = self._driver.execute(statement, columns_of(bound, lookup)).fetchall()
        if len(rows) > MOST_ROWS:
            raise TooMuch
        return iter(rows)


class PostgreSQLFollower(Follower):
    """On the connection of the transaction that hides what is found."""

    dialect = POSTGRESQL

    @contextmanager
    def _source(self) -> Iterator[Source]:
        timeout = f"SET LOCAL statement_timeout = {round(MOST_SECONDS * 1000)}"
        self.driver.execute("; ".join(["SAVEPOINT following", timeout, *LOOK_UP_BY_INDEX]), prepare=False)
        try:
            yield _ShortSource(self.driver, self._program)
        except errors.QueryCanceled as error:
            raise TooMuch from error
        finally:
            # What the source has set for its statements ends with it.
            self.driver.execute("ROLLBACK TO SAVEPOINT following; RELEASE SAVEPOINT following", prepare=False)


@contextmanager
def following(session: Session) -> Iterator[tuple[State, Follower] | None]:
    """The inferred facts that are in place, for a transaction that keeps runs from replacing them; None without any."""
    if isinstance(session, PostgreSQLSession):
        state = current_state(session.rows)
        yield None if state is None else (state, PostgreSQLFollower(session.driver, state.program))
        return
    driver = open_current()
    if driver is None:
        yield None
        return
    with closing(driver):
        try:
            state = current_state(lambda sql: driver.execute(sql).fetchall())
        except sqlite3.DatabaseError:
            state = None
        yield None if state is None else (state, SQLiteFollower(driver, state.program))
