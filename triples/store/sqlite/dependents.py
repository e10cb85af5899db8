"""SQLite: the search for inferred facts that rest on removed facts, in the file of the inferred facts."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from triples.store.inferred import dependents as budget
from triples.store.inferred.dependents import Dependents, TooMuch
from triples.store.inferred.engine_source import Source
from triples.store.inferred.state import State, current_state
from triples.store.sessions import Session
from triples.store.sqlite.dialect import SQLITE
from triples.store.sqlite.engine_source import SQLiteSource
from triples.store.sqlite.inferred_files import open_current

_INSTRUCTIONS_AT_ONCE = 10_000


class SQLiteDependents(Dependents):
    """The search on a connection to the file of inferred facts."""

    dialect = SQLITE

    @contextmanager
    def _source(self) -> Iterator[Source]:
        left = budget.MOST_INSTRUCTIONS // _INSTRUCTIONS_AT_ONCE

        def is_too_much() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        self.driver.set_progress_handler(is_too_much, _INSTRUCTIONS_AT_ONCE)
        try:
            yield SQLiteSource(self.driver, self._program)
        except sqlite3.Error as error:
            # Facts can be deleted even if the file cannot be read.
            raise TooMuch from error
        finally:
            self.driver.set_progress_handler(None, 0)


@contextmanager
def dependents(_session: Session) -> Iterator[tuple[State, Dependents] | None]:
    driver = open_current()
    if driver is None:
        yield None
        return
    with closing(driver):
        try:
            state = current_state(lambda sql: driver.execute(sql).fetchall())
        except sqlite3.DatabaseError:
            state = None
        yield None if state is None else (state, SQLiteDependents(driver, state.program))
