"""The session of SQLite, where only one writer at a time uses the database.

Rows are inserted many at a time. A statement costs more than a row: SQLite reads and writes the table's last id, and
Python calls SQLite. For a value that is neither a number nor a text, Python looks for an adapter, which costs as much
as a row; so empty metadata is left out, and sources are passed as plain numbers. All these statements are OR FAIL:
otherwise SQLite would copy each page before its first change, to be able to undo this statement alone. The caller rolls
the whole transaction back instead. The tables' checks would make it copy them nevertheless. So the writer works without
them, and they are made here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

import orjson
from django.db import IntegrityError

from triples.models import Source
from triples.store.operations import Fact, Row
from triples.store.sessions import Counts, IdRange, LoadedFacts, NewFact, RowKey, Rows, Session
from triples.store.sqlite.term_index import keep_up
from triples.text import MAX_TERM_LENGTH

_Row = TypeVar("_Row")

_ROWS_AT_ONCE = 100
_LENGTHS = range(1, MAX_TERM_LENGTH + 1)

_INSERT_TERMS = "INSERT OR FAIL INTO triples_term (id, text) VALUES "
_INSERT_FACTS = (
    "INSERT OR FAIL INTO triples_triple"
    " (created_at, subject_id, object_id, predicate_id, weight, source, metadata) VALUES "
)
_FACT, _PLAIN_FACT = "(?1, ?, ?, ?, ?, ?, ?)", "(?1, ?, ?, ?, ?, ?, NULL)"
# Of facts that all have one source.
_LOAD_FACTS = (
    "INSERT OR FAIL INTO triples_triple"
    " (source, created_at, subject_id, object_id, predicate_id, weight, metadata) VALUES "
)
_LOADED, _PLAIN_LOADED = "(?1, ?2, ?, ?, ?, ?, ?)", "(?1, ?2, ?, ?, ?, ?, NULL)"
_UNLESS_THERE = " ON CONFLICT (subject_id, object_id, predicate_id) DO NOTHING"
_FIND_TERMS = "SELECT text, id FROM triples_term WHERE text IN (SELECT value FROM json_each(?))"
_LAST_ID = "SELECT seq FROM sqlite_sequence WHERE name = ?"
_KNOWN_TERMS = "SELECT count(*) FROM json_each(?) AS k CROSS JOIN triples_term AS t ON t.id = k.value"
# CROSS JOIN makes SQLite loop over the keys, which are few, and not over the facts.
_FIND_FACTS = (
    "SELECT t.subject_id, t.object_id, t.predicate_id, t.id FROM json_each(?) AS k CROSS JOIN triples_triple AS t"
    " ON t.subject_id = json_extract(k.value, '$[0]') AND t.object_id = json_extract(k.value, '$[1]')"
    " AND t.predicate_id = json_extract(k.value, '$[2]')"
)
_ROWS_BY_ID = (
    "SELECT t.id, t.created_at, t.updated_at, t.source, t.weight, t.metadata, s.text, p.text, o.text"
    " FROM json_each(?) AS k CROSS JOIN triples_triple AS t ON t.id = k.value"
    " CROSS JOIN triples_term AS s ON s.id = t.subject_id"
    " CROSS JOIN triples_term AS p ON p.id = t.predicate_id"
    " CROSS JOIN triples_term AS o ON o.id = t.object_id"
)
_UPDATE_FACT = "UPDATE triples_triple SET weight = ?, metadata = ?, updated_at = ? WHERE id = ?"
_DELETE_FACT = "DELETE FROM triples_triple WHERE id = ?"
# The condition is true after the first run. The index has the largest id without a scan.
_RECORD_CHANGES = (
    "INSERT INTO triples_change (subject_id, predicate_id, object_id, gone)"
    " SELECT t.subject_id, t.predicate_id, t.object_id, ? FROM json_each(?) AS k CROSS JOIN triples_triple AS t"
    " ON t.id = k.value WHERE (SELECT max(id) FROM triples_recursionrun) IS NOT NULL"
    " RETURNING id, subject_id, predicate_id, object_id"
)
_KEYS_BY_ID = (
    "SELECT id, subject_id, object_id, predicate_id FROM triples_triple WHERE id IN (SELECT value FROM json_each(?))"
)
_WITHOUT_FACTS = (
    "SELECT value FROM json_each(?) WHERE NOT EXISTS"
    " (SELECT 1 FROM triples_triple INDEXED BY triple_s WHERE subject_id = value)"
)
_TALLY = (
    "INSERT INTO triples_tally (shard, triples, subjects) VALUES (0, ?, ?)"
    " ON CONFLICT (shard) DO UPDATE SET triples = triples + excluded.triples, subjects = subjects + excluded.subjects"
)
_PREDICATE_TALLY = (
    "INSERT INTO triples_predicatetally (predicate_id, shard, facts) VALUES (?, 0, ?)"
    " ON CONFLICT (predicate_id, shard) DO UPDATE SET facts = facts + excluded.facts"
)
# NOT INDEXED: the new rows are found by their ids; SQLite would read a whole index by predicate.
_NEW_BY_PREDICATE = "SELECT predicate_id, count(*) FROM triples_triple NOT INDEXED WHERE id > ? GROUP BY predicate_id"


class SQLiteSession(Session):
    interrupts_at_once = True

    def interrupt(self) -> None:
        self.driver.interrupt()

    def find_terms(self, texts: Collection[str]) -> dict[str, int]:
        return dict(self.rows(_FIND_TERMS, (_json(texts),))) if self._last_id("triples_term") else {}

    def find_or_make_terms(self, texts: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
        found = self.find_terms(texts)
        missing = sorted(set(texts).difference(found))
        return found, self.insert_terms(missing) if missing else {}

    def insert_terms(self, texts: Sequence[str]) -> dict[str, int]:
        if not all(map(_LENGTHS.__contains__, map(len, texts))):
            raise IntegrityError("a term has no characters, or too many")
        first = start = self._last_id("triples_term") + 1
        for part in _parts(texts):
            statement = _statement(_INSERT_TERMS, "(?, ?)", len(part))
            self.driver.execute(statement, tuple(chain.from_iterable(enumerate(part, start))))
            start += len(part)
        keep_up(self.driver, first, start - 1)
        return dict(zip(texts, range(first, start), strict=True))

    def insert_facts(
        self, facts: Sequence[NewFact], made: AbstractSet[int], older: AbstractSet[int], *, with_ids: bool
    ) -> tuple[dict[RowKey, int], set[int]]:
        without = self.without_facts(older) if older else set()
        doubtful = [key for fact in facts if made.isdisjoint(key := fact[:3])]
        standing = self.find_facts(doubtful) if doubtful else {}
        fresh = [fact for fact in facts if fact[:3] not in standing] if standing else facts
        return {fact[:3]: id_ for id_, fact in enumerate(fresh, self._insert(fresh))}, without

    def _insert(self, facts: Sequence[NewFact]) -> int:
        """Insert facts of one moment. Returns the id of the first; those of the others follow."""
        _require_weights(fact.weight for fact in facts)
        last = 0
        for part in _parts(facts):
            values: list[Any] = [part[0].created_ms]
            if any(fact.metadata for fact in part):
                row = _FACT
                for subject, object_, predicate, weight, metadata, source, _ in part:
                    values += (subject, object_, predicate, weight, int(source), metadata)
            else:
                row = _PLAIN_FACT
                for subject, object_, predicate, weight, _, source, _ in part:
                    values += (subject, object_, predicate, weight, int(source))
            last = self.driver.execute(_statement(_INSERT_FACTS, row, len(part)), values).lastrowid
        return last - len(facts) + 1

    def load_facts(self, keys: Sequence[RowKey], facts: Mapping[RowKey, Fact], created_ms: int) -> LoadedFacts:
        last = self._last_id("triples_triple")
        inserted = sum(self._load(part, [facts[key] for key in part], created_ms) for part in _parts(keys))
        if not inserted:
            return LoadedFacts({}, ())
        if inserted == len(keys):
            predicates: Counts = Counter(key[2] for key in keys)
        else:
            predicates = dict(self.rows(_NEW_BY_PREDICATE, (last,)))
        # No other writer can insert meanwhile, so all ids since then are of these facts, or of none.
        return LoadedFacts(predicates, [IdRange(last + 1, self._last_id("triples_triple"))])

    def _load(self, keys: Sequence[RowKey], facts: Sequence[Fact], created_ms: int) -> int:
        """Insert those of these facts that do not exist yet. Returns their number."""
        _require_weights(fact.weight for fact in facts)
        values: list[Any] = [int(facts[0].source), created_ms]
        if any(fact.metadata for fact in facts):
            row = _LOADED
            for key, fact in zip(keys, facts, strict=True):
                values += (*key, fact.weight, fact.metadata)
        else:
            row = _PLAIN_LOADED
            for key, fact in zip(keys, facts, strict=True):
                values += (*key, fact.weight)
        inserted: int = self.driver.execute(_statement(_LOAD_FACTS, row, len(facts)) + _UNLESS_THERE, values).rowcount
        return inserted

    def check_terms(self, ids: Collection[int]) -> None:
        if self.rows(_KNOWN_TERMS, (_json(ids),))[0][0] < len(ids):
            raise IntegrityError("a term was removed that is still in use")

    def find_facts(self, keys: Collection[RowKey]) -> dict[RowKey, int]:
        return {row[:3]: row[3] for row in self.rows(_FIND_FACTS, (_json(keys),))}

    def rows_by_id(self, ids: Collection[int]) -> dict[int, Row]:
        return {row[0]: Row(*row) for row in self.rows(_ROWS_BY_ID, (_json(ids),))}

    def update_facts(self, rows: Collection[Row]) -> None:
        _require_weights(row.weight for row in rows)
        self.driver.executemany(_UPDATE_FACT, [(row.weight, row.metadata, row.updated_ms, row.id) for row in rows])

    def delete_facts(self, ids: Collection[int]) -> None:
        self.driver.executemany(_DELETE_FACT, [(id_,) for id_ in ids])

    def record_changes(self, ids: Collection[int], gone: int | None = None) -> Rows:
        return self.rows(_RECORD_CHANGES, (gone, _json(ids)))

    def hold_inferred(self) -> None:
        """Nothing to do: the write lock keeps runs from replacing them."""

    def hold_subjects(self, subject_ids: Collection[int]) -> None:
        """Nothing to do: no other writer can write before the commit."""

    def without_facts(self, subject_ids: Collection[int]) -> set[int]:
        return {id_ for (id_,) in self.rows(_WITHOUT_FACTS, (_json(subject_ids),))}

    def add_to_tally(self, triples: int, subjects: int, predicates: Counts) -> None:
        self.driver.execute(_TALLY, (triples, subjects))
        self.driver.executemany(_PREDICATE_TALLY, list(predicates.items()))

    def keys_by_id(self, ids: Collection[int]) -> dict[int, RowKey]:
        return {row[0]: row[1:] for row in self.rows(_KEYS_BY_ID, (_json(ids),))}

    def _last_id(self, table: str) -> int:
        """The largest id that the table ever had. Ids of deleted rows are not used again."""
        found = self.rows(_LAST_ID, (table,))
        return int(found[0][0]) if found else 0


def _json(values: Collection[object]) -> str:
    return orjson.dumps(list(values)).decode()


def load_columns(driver: Any, columns: Sequence[Sequence[Any]], source: Source, created_ms: int) -> None:
    """Insert new facts from columns: subjects, objects, predicates, weights and metadata."""
    _require_weights(columns[3])
    for start in range(0, len(columns[0]), _ROWS_AT_ONCE):
        part = [column[start : start + _ROWS_AT_ONCE] for column in columns]
        plain = not any(part[-1])
        if plain:
            part.pop()
        statement = _statement(_LOAD_FACTS, _PLAIN_LOADED if plain else _LOADED, len(part[0]))
        driver.execute(statement, (int(source), created_ms, *chain.from_iterable(zip(*part, strict=True))))


def _require_weights(weights: Iterable[float]) -> None:
    if not all(0 <= weight <= 1 for weight in weights):
        raise IntegrityError("a weight is not between 0 and 1")


def _parts(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    return (rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE))


@lru_cache
def _statement(beginning: str, row: str, rows: int) -> str:
    return beginning + ", ".join([row] * rows)
