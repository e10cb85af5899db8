"""PostgreSQL: the search for inferred facts that rest on removed facts, in the transaction that removes them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import errors

from triples.patterns import Bound
from triples.store.inferred import dependents as budget
from triples.store.inferred.dependents import Dependents, TooMuch
from triples.store.inferred.engine_source import Lookup, Source
from triples.store.inferred.state import State, current_state
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.engine_source import LOOK_UP_BY_INDEX, columns_of
from triples.store.sessions import Session


class _ShortSource(Source):
    """A source for few rows, which are fetched at once. The caller has made the settings of `LOOK_UP_BY_INDEX`."""

    def _rows(self, lookup: Lookup, bound: Sequence[Bound]) -> Iterator[Any]:
        statement = f"{lookup.sql(POSTGRESQL)} LIMIT {budget.MOST_ROWS + 1}"
        rows = self._driver.execute(statement, columns_of(bound, lookup)).fetchall()
        if len(rows) > budget.MOST_ROWS:
            raise TooMuch
        return iter(rows)


class PostgreSQLDependents(Dependents):
    """The search on the connection of the transaction that hides the facts found."""

    dialect = POSTGRESQL

    @contextmanager
    def _source(self) -> Iterator[Source]:
        timeout = f"SET LOCAL statement_timeout = {round(budget.MOST_SECONDS * 1000)}"
        self.driver.execute("; ".join(["SAVEPOINT dependents", timeout, *LOOK_UP_BY_INDEX]), prepare=False)
        try:
            yield _ShortSource(self.driver, self._program)
        except errors.QueryCanceled as error:
            raise TooMuch from error
        finally:
            # This also ends the settings that were made for the search.
            self.driver.execute("ROLLBACK TO SAVEPOINT dependents; RELEASE SAVEPOINT dependents", prepare=False)


@contextmanager
def dependents(session: Session) -> Iterator[tuple[State, Dependents] | None]:
    state = current_state(session.rows)
    yield None if state is None else (state, PostgreSQLDependents(session.driver, state.program))
