"""The state of the inferred facts on SQLite."""

from contextlib import closing

from triples.store.inferred.state import SELECT_STATE, State, state_of
from triples.store.sqlite.connections import connect_for_reading
from triples.store.sqlite.inferred_files import attach


def read_state() -> State | None:
    with closing(connect_for_reading()) as driver:
        return None if attach(driver) is None else state_of(driver.execute(SELECT_STATE).fetchall())
