"""Inferred facts that must not be shown any more: those whose proofs rest on a fact that is gone.

A fact is gone when the journal names it after the last run and it stands no more, or only with weight 0. Every
connection that reads finds out for itself, in the transaction of the read, so that no order in which readers, writers
and runs get their turns can let a fact through: it follows the proofs from the few facts that are gone, and keeps
what it finds in a temporary table until the next run. Too much may be hidden, never too little.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

import structlog

from triples.recursion.programs import Key
from triples.recursion.proofs import Use, uses
from triples.store.inferred import keys
from triples.store.inferred.layout import FACTS, KEY
from triples.store.inferred.state import State
from triples.store.inferred.statements import HIDDEN, INDEXES
from triples.store.patterns import POSTGRESQL, Dialect
from triples.store.sessions import Fetch

log = structlog.get_logger("skg.inferred")

Execute = Callable[[str, Sequence[Any]], Any]

# With more facts gone or hidden than this, no inferred fact is shown until the next run.
LIMIT = 50_000

TABLE = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {HIDDEN} (subject_id BIGINT NOT NULL, predicate_id BIGINT NOT NULL,"
    f" object_id BIGINT NOT NULL, PRIMARY KEY ({', '.join(KEY)}))"
)

_SAME = " AND ".join(f"f.{column} = c.{column}" for column in KEY)
# A fact that was asserted over an inferred one and deleted again is inferred as before.
_GONE = (
    f"SELECT DISTINCT {', '.join(f'c.{column}' for column in KEY)} FROM triples_change AS c WHERE c.id > ?"
    f" AND NOT EXISTS (SELECT 1 FROM triples_triple AS f WHERE {_SAME} AND f.weight > 0)"
    f" AND (EXISTS (SELECT 1 FROM triples_triple AS f WHERE {_SAME})"
    f" OR NOT EXISTS (SELECT 1 FROM {FACTS} AS f WHERE {_SAME})) LIMIT {LIMIT + 1}"
)


class Hidden:
    """What is hidden on one connection. It must be told when a transaction in which it was updated is undone."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._generation: int | None = None
        self._mark: int | None = None
        # Followed up to this change; the changes of a run's own time have been taken into account by it.
        self._up_to = 0
        self._uses: list[Use] = []
        self._keys: set[Key] = set()
        self.everything = False

    def __bool__(self) -> bool:
        """Whether there is anything in the table."""
        return bool(self._keys)

    def forget(self) -> None:
        """Start anew at the next update."""
        self._generation = None

    def update(self, fetch: Fetch, execute: Execute, state: State, mark: int | None) -> None:
        """Hide what must be, inside the transaction of the read; `mark` is another one whenever the journal grew."""
        if self._generation != state.generation:
            self._start(execute, state)
        if self.everything or mark == self._mark:
            return
        statement = _GONE.replace("?", self._dialect.placeholder)
        gone = [Key(*row) for row in fetch(statement, [self._up_to])]
        found = self._resting_on(fetch, gone) if len(gone) <= LIMIT else set()
        self.everything = max(len(gone), len(self._keys)) > LIMIT
        if self.everything:
            _tell_once(state.generation)
        else:
            self._fill(execute, found)
        self._mark = mark
        # Ids become visible in their order on SQLite alone, where one writes at a time.
        if mark is not None and self._dialect is not POSTGRESQL:
            self._up_to = mark

    def _start(self, execute: Execute, state: State) -> None:
        execute(f"DELETE FROM {HIDDEN}", ())
        self._generation, self._mark, self._up_to = state.generation, None, state.changes_up_to
        self._uses = uses(state.program)
        self._keys = set()
        self.everything = False

    def _resting_on(self, fetch: Fetch, gone: Collection[Key]) -> set[Key]:
        """The inferred facts that rest on these and are not hidden yet; no more than are needed to pass the limit."""
        found: set[Key] = set()
        frontier = set(gone)
        while frontier and len(self._keys) <= LIMIT:
            reached = {
                Key(*row)
                for use in self._uses
                for batch in keys.batches([key for key in frontier if use.fits(key)])
                for row in fetch(_proofs_with(use, self._dialect), [batch])
            }
            frontier = reached - self._keys
            self._keys |= frontier
            found |= frontier
        return found

    def _fill(self, execute: Execute, hidden: Collection[Key]) -> None:
        columns = ", ".join(keys.column(column, self._dialect) for column in range(3))
        statement = f"INSERT INTO {HIDDEN} ({', '.join(KEY)}) SELECT {columns} FROM {keys.table(self._dialect)}"
        for batch in keys.batches(sorted(hidden)):
            execute(statement, [batch])


@cache
def _proofs_with(use: Use, dialect: Dialect) -> str:
    """The inferred facts whose stored proof has one of these facts at this place. Parameter: the facts, as JSON."""
    same = [("i.rule", str(use.rule))]
    for name, term, column in zip(KEY, use.head_terms, use.head_columns, strict=True):
        if column is not None:
            same.append((f"i.{name}", keys.column(column, dialect)))
        elif term is not None:
            same.append((f"i.{name}", str(term)))
    for number, column in enumerate(use.free_columns):
        if column is not None:
            same.append((_free_value(number, dialect), keys.column(column, dialect)))
    table = f"{FACTS} AS i"
    if dialect.names_indexes:
        table += f" INDEXED BY {_index({name for name, _ in same})}"
    conditions = " AND ".join(f"{name} = {value}" for name, value in same)
    columns = ", ".join(f"i.{column}" for column in KEY)
    return f"SELECT DISTINCT {columns} FROM {keys.joined(dialect)} {table} ON {conditions}"


def _index(known: Collection[str]) -> str:
    """The index that is likely to leave the fewest facts to be looked at."""
    if "i.subject_id" in known:
        return INDEXES[True, True, True]
    if "i.free1" in known or "i.object_id" not in known:
        return "inferred_proof"
    return INDEXES[False, "i.predicate_id" in known, True]


def _free_value(number: int, dialect: Dialect) -> str:
    if number == 0:
        return "i.free1"
    if dialect is POSTGRESQL:
        return f"(i.free_rest::json->>{number - 1})::bigint"
    return f"json_extract(i.free_rest, '$[{number - 1}]')"


@cache
def _tell_once(generation: int) -> None:
    log.warning("inferred_facts_hidden", generation=generation, limit=LIMIT)
