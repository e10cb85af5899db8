"""Read snapshots on SQLite, where the inferred facts are in a file of their own."""

from typing import Any

from triples.store.inferred import hidden
from triples.store.inferred.layout import STATE
from triples.store.inferred.read_snapshots import ReadSnapshots, VisibleFacts, visible_facts
from triples.store.inferred.state import SELECT_STATE, state_of
from triples.store.sessions import Fetch
from triples.store.sqlite.dialect import SQLITE
from triples.store.sqlite.inferred_files import attach, current_name, detach


class SQLiteReadSnapshots(ReadSnapshots):
    """Attaches the file of inferred facts at the first read that needs it, and again after it was replaced."""

    def _begin_asserted(self) -> None:
        self.driver.execute(SQLITE.begin_reading)

    def __init__(self, driver: Any) -> None:
        super().__init__(driver)
        # The name in the link when the file was attached; None if none was.
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
            # If this version of the code cannot read the file, it is not tried again.
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
                    return visible_facts(state, newest, worst, known=bool(known))
                # The state is read before the next snapshot of the asserted facts, which thus cannot be older.
                self._state = state_of(fetch(SELECT_STATE, ()))
            self.driver.execute("COMMIT")
            if not self._any(fetch):
                self.driver.execute("BEGIN")
                return None


# The first statement of a transaction, which determines the moment that all its statements see.
_MOMENT = f"SELECT (SELECT max(id) FROM triples_triple), {hidden.worst_gone('?2', SQLITE)}, {hidden.is_known('?1')}"
