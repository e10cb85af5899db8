"""Hiding inferred facts: in the commit that removes a fact, and in the commit in which a run replaces its facts.

If that takes more than the budget of `triples.store.inferred.dependents`, or if too many facts are hidden, all inferred
facts are hidden until the next run, and no dependents are looked for.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import structlog

from triples.models import Gone, HiddenGeneration
from triples.recursion.programs import Key
from triples.store.backend import Holder, backend
from triples.store.dialect import Dialect
from triples.store.inferred import hidden, key_batches
from triples.store.inferred.dependents import Dependents, TooMuch
from triples.store.inferred.layout import KEY
from triples.store.inferred.state import State
from triples.store.sessions import Rows, Session

log = structlog.get_logger("skg.inferred")

# With more hidden facts, reads would take too long to skip them.
MOST_HIDDEN = 50_000

_KEY = ", ".join(KEY)
_CHANGED = ", ".join(f"c.{column}" for column in KEY)
_GONE_SINCE = "gone IS NOT NULL AND id > ?"
# Only a run removes rows, and it removes all, so the ids tell about how many there are, without a scan: SQLite looks up
# each end if they are asked for apart from each other.
_COUNT = f"SELECT coalesce((SELECT max(id) FROM {hidden.FACTS}) - (SELECT min(id) FROM {hidden.FACTS}) + 1, 0)"


def record_gone(session: Session, removed: Collection[int], denied: Collection[int]) -> None:
    """Record in the journal that facts are about to be deleted or to get weight 0, and hide what rests on them.

    The facts are given by their ids. The caller has locked their rows, and locks no other rows after this.
    """
    changes = [session.record_changes(sorted(ids), Gone.ALONE) if ids else [] for ids in (removed, denied)]
    if not any(changes):
        # The journal is empty until the first run.
        return
    session.hold_inferred()
    store = _Store(session.driver.execute, backend().dialect)
    with backend().dependents(session) as found:
        gone = Gone.UNFOLLOWED
        if found is not None and store.is_known(found[0]):
            state, dependents = found
            gone = store.hide(dependents, *({Key(*row[1:]) for row in rows} for rows in changes))
            _tell(gone, state)
        if gone is not Gone.ALONE:
            store.mark([row[0] for rows in changes for row in rows], gone)


def hide_unknown(state: State, holder: Holder) -> None:
    """Determine which of the current inferred facts are hidden, if that is not stored.

    It is missing if a run died just after it had replaced the facts, or if the database is a copy of that moment.
    """
    if not HiddenGeneration.objects.filter(generation=state.generation).exists():
        backend().inferred.hide(state, holder)


def hide_anew(execute: Callable[..., Any], dependents: Dependents, state: State) -> None:
    """Hide what must be hidden of a run's facts, in the transaction that publishes them.

    The journal has the facts that were removed since the run took its snapshot. No other fact may be removed before
    the commit.
    """
    store = _Store(execute, dependents.dialect)
    store.begin(state)
    removed, denied = store.gone_since(state.changes_up_to)
    if removed or denied:
        gone = store.hide(dependents, removed, denied)
        _tell(gone, state)
        store.mark_since(state.changes_up_to, gone)


class Forecast:
    """Forecast of what a deletion would hide, batch after batch. Nothing is written.

    It is found as `record_gone` would find it, on the same connection and with the same budget.
    """

    def __init__(self, session: Session, *, everything: bool = False) -> None:
        self._session = session
        self._store = _Store(session.driver.execute, backend().dialect)
        # The inferred facts that would lose their proofs and are not hidden yet.
        self.facts: set[Key] = set()
        # Whether all inferred facts are hidden, or would be.
        self.everything = everything

    def delete(self, removed: Collection[Key]) -> None:
        """Add a batch of deletions to the forecast, unless everything is hidden already."""
        if self.everything or not removed:
            return
        with backend().dependents(self._session) as found:
            if found is None or not self._store.is_known(found[0]):
                self.everything = True
                return
            try:
                self.facts |= found[1].resting_on(removed, (), self._hidden_among)
            except TooMuch:
                self.everything = True
                return
        self.everything = self._store.hidden() + len(self.facts) > MOST_HIDDEN

    def _hidden_among(self, wanted: Collection[Key]) -> set[Key]:
        return self._store.hidden_among(wanted) | self.facts.intersection(wanted)


class _Store:
    """The statements, on the connection of the transaction."""

    def __init__(self, execute: Callable[..., Any], dialect: Dialect) -> None:
        self._execute = execute
        self._dialect = dialect

    def is_known(self, state: State) -> bool:
        """True if the stored hidden facts are those of this state, and complete."""
        statement = f"SELECT {hidden.worst_gone('?', self._dialect)}, {hidden.is_known('?')}"
        [(worst, known)] = self._rows(statement, state.changes_up_to, state.generation)
        return bool(known) and worst != Gone.UNFOLLOWED

    def hide(self, dependents: Dependents, removed: Collection[Key], denied: Collection[Key]) -> Gone:
        """Hide what rests on facts that are gone, or hide nothing if that is too much."""
        try:
            found = dependents.resting_on(removed, denied, self.hidden_among)
        except TooMuch:
            return Gone.UNFOLLOWED
        if not found:
            return Gone.ALONE
        if self.hidden() + len(found) > MOST_HIDDEN:
            return Gone.UNFOLLOWED
        columns = ", ".join(key_batches.column(column, self._dialect) for column in range(3))
        statement = f"INSERT INTO {hidden.FACTS} ({_KEY}) SELECT {columns} FROM {key_batches.table(self._dialect)}"
        for batch in key_batches.batches(sorted(found)):
            self._run(statement, batch)
        return Gone.FOLLOWED

    def hidden(self) -> int:
        """The number of hidden facts."""
        [(rows,)] = self._rows(_COUNT)
        return int(rows)

    def mark(self, changes: Sequence[int], gone: Gone) -> None:
        """Set `gone` of these rows of the journal."""
        given = f"SELECT {key_batches.column(0, self._dialect)} FROM {key_batches.table(self._dialect)}"
        for batch in key_batches.batches([[change] for change in changes]):
            self._run(f"UPDATE triples_change SET gone = {gone:d} WHERE id IN ({given})", batch)

    def mark_since(self, changes_up_to: int, gone: Gone) -> None:
        """Set `gone` of all later rows of the journal whose fact is gone."""
        self._run(f"UPDATE triples_change SET gone = {gone:d} WHERE {_GONE_SINCE}", changes_up_to)

    def begin(self, state: State) -> None:
        """Unhide everything, and clear `gone` of the changes that the run has taken into account."""
        for table in (hidden.FACTS, hidden.GENERATION):
            self._run(f"DELETE FROM {table}")
        self._run(f"INSERT INTO {hidden.GENERATION} (generation) VALUES (?)", state.generation)
        self._run("UPDATE triples_change SET gone = NULL WHERE gone IS NOT NULL AND id <= ?", state.changes_up_to)

    def gone_since(self, changes_up_to: int) -> tuple[set[Key], set[Key]]:
        """The facts that are gone by the later rows of the journal: the deleted ones, and those of weight 0."""
        join = "CROSS JOIN" if self._dialect.names_indexes else "JOIN"
        same = " AND ".join(f"t.{column} = c.{column}" for column in KEY)
        since = f"(SELECT {_KEY} FROM triples_change WHERE {_GONE_SINCE}) AS c"
        gone = self._rows(f"SELECT {_CHANGED} FROM {since}", changes_up_to)
        statement = f"SELECT {_CHANGED} FROM {since} {join} triples_triple AS t ON {same} WHERE t.weight = 0"
        denied = self._rows(statement, changes_up_to) if gone else []
        return {Key(*row) for row in gone}.difference(denied), {Key(*row) for row in denied}

    def hidden_among(self, wanted: Collection[Key]) -> set[Key]:
        same = " AND ".join(
            f"c.{name} = {key_batches.column(number, self._dialect)}" for number, name in enumerate(KEY)
        )
        statement = f"SELECT {_CHANGED} FROM {key_batches.joined(self._dialect)} {hidden.FACTS} AS c ON {same}"
        return {Key(*row) for batch in key_batches.batches(sorted(wanted)) for row in self._rows(statement, batch)}

    def _rows(self, statement: str, *parameters: Any) -> Rows:
        rows: Rows = self._run(statement, *parameters).fetchall()
        return rows

    def _run(self, statement: str, *parameters: Any) -> Any:
        return self._execute(statement.replace("?", self._dialect.placeholder), parameters)


def _tell(gone: Gone, state: State) -> None:
    if gone is Gone.UNFOLLOWED:
        log.warning("inferred_facts_hidden", generation=state.generation)
