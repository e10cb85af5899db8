"""The session of SQLite, where only one writer at a time uses the database."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

import orjson
from django.db import IntegrityError

from triples.store.operations import Fact, Row
from triples.store.sessions import Counts, IdRange, LoadedFacts, NewFact, RowKey, Rows, Session
from triples.store.sqlite.row_inserts import insert_facts, insert_terms, load_facts, require_weights
from triples.store.sqlite.term_index import keep_up

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

    def insert_terms(self, texts: Sequence[str]) -> dict[str, int]:
        first = self._last_id("triples_term") + 1
        insert_terms(self.driver, first, texts)
        keep_up(self.driver, first, first + len(texts) - 1)
        return dict(zip(texts, range(first, first + len(texts)), strict=True))

    def insert_facts(self, facts: Sequence[NewFact], made: AbstractSet[int]) -> dict[RowKey, int]:
        doubtful = [key for fact in facts if made.isdisjoint(key := fact[:3])]
        standing = self.find_facts(doubtful) if doubtful else {}
        fresh = [fact for fact in facts if fact[:3] not in standing] if standing else facts
        return {fact[:3]: id_ for id_, fact in enumerate(fresh, insert_facts(self.driver, fresh))}

    def load_facts(self, keys: Sequence[RowKey], facts: Mapping[RowKey, Fact], created_ms: int) -> LoadedFacts:
        last = self._last_id("triples_triple")
        inserted = load_facts(self.driver, keys, facts, created_ms)
        if not inserted:
            return LoadedFacts({}, ())
        if inserted == len(keys):
            predicates: Counts = Counter(key[2] for key in keys)
        else:
            predicates = dict(self.rows(_NEW_BY_PREDICATE, (last,)))
        # No other writer can insert meanwhile, so all ids since then are of these facts, or of none.
        return LoadedFacts(predicates, [IdRange(last + 1, self._last_id("triples_triple"))])

    def check_terms(self, ids: Collection[int]) -> None:
        if self.rows(_KNOWN_TERMS, (_json(ids),))[0][0] < len(ids):
            raise IntegrityError("a term was removed that is still in use")

    def find_facts(self, keys: Collection[RowKey]) -> dict[RowKey, int]:
        return {row[:3]: row[3] for row in self.rows(_FIND_FACTS, (_json(keys),))}

    def rows_by_id(self, ids: Collection[int]) -> dict[int, Row]:
        return {row[0]: Row(*row) for row in self.rows(_ROWS_BY_ID, (_json(ids),))}

    def update_facts(self, rows: Collection[Row]) -> None:
        require_weights(row.weight for row in rows)
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
