"""Read snapshots on PostgreSQL, where the inferred facts are in the same database."""

from typing import Any

from triples.store.inferred import hidden
from triples.store.inferred.layout import FACTS, STATE
from triples.store.inferred.read_snapshots import ReadSnapshots, VisibleFacts, visible_facts
from triples.store.inferred.state import SELECT_STATE, state_of
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.round_trips import execute
from triples.store.sessions import Fetch

# A statement that is not interrupted by its reader ends by itself so long after.
_GRACE_MS = 1_000


class PostgreSQLReadSnapshots(ReadSnapshots):
    """Takes one snapshot for both kinds of facts."""

    def __init__(self, driver: Any, time_limit: float | None) -> None:
        super().__init__(driver)
        # Sent with BEGIN, so it takes no time of its own. The reader itself interrupts a read a little earlier.
        limit = "" if time_limit is None else f"; SET LOCAL statement_timeout = {round(time_limit * 1000) + _GRACE_MS}"
        self._begin_reading = f"{POSTGRESQL.begin_reading}{limit}"
        self._begin_all = f"BEGIN ISOLATION LEVEL REPEATABLE READ{limit}; {_HOLD_AND_LOOK}"

    def _begin_asserted(self) -> None:
        execute(self.driver, self._begin_reading, prepare=False)

    def _any(self, fetch: Fetch) -> bool:
        if self._state is None:
            self._state = state_of(fetch(SELECT_STATE, ()))
        return self._state is not None

    def _begin(self, fetch: Fetch) -> VisibleFacts | None:
        cursor = execute(self.driver, self._begin_all, prepare=False)
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
        shown = visible_facts(self._state, newest, worst, known=True)
        if shown.filter is not None and shown.filter.hidden:
            # The planner does not know yet how many facts are hidden, and may keep a plan that was made for few.
            self.driver.execute("SET LOCAL enable_seqscan = off")
        return shown


# The lock is taken before the snapshot, so a run that replaces the table comes before or after this read. The stored
# hidden facts are always those of the current generation, since one commit replaces both.
_HOLD_AND_LOOK = (
    f"LOCK TABLE {FACTS} IN ACCESS SHARE MODE;"
    f" SELECT s.generation, (SELECT max(id) FROM triples_triple), {hidden.worst_gone('s.changes_up_to', POSTGRESQL)}"
    f" FROM {STATE} AS s"
)
