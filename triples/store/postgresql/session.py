"""The session of PostgreSQL, where many writers work at once.

To prevent deadlocks, every transaction takes its locks in the same order: new terms by text, then subjects by id, then
new facts by key, then rows by id, then the inferred facts, then the tallies. The trigger that looks up the terms of new
facts locks them, too, but only against their deletion, which waits for nobody.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from psycopg.errors import UniqueViolation

from triples.store.operations import Fact, Row
from triples.store.postgresql.arrays import numbers, texts
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.round_trips import Statement, execute, fetch_all, run_with_next
from triples.store.postgresql.term_index import (
    INSERT_TERMS,
    INSERT_TERMS_OR_PASS,
    numbered_terms,
    parts_of_hashes,
)
from triples.store.sessions import Counts, IdRange, LoadedFacts, NewFact, RowKey, Rows, Session
from triples.term_keys import postgresql_key

_FIND_TERMS = f"SELECT text, id FROM triples_term WHERE {POSTGRESQL.term_key} = ANY(%s)"
# The rows of those that are terms, and one of as many new numbers as there are others.
_FIND_OR_NUMBER = (
    f"WITH found AS MATERIALIZED ({_FIND_TERMS}) SELECT text, id FROM found UNION ALL SELECT"
    " string_agg(nextval((SELECT pg_get_serial_sequence('triples_term', 'id')::regclass))::text, ','), NULL"
    " FROM generate_series(1, %s - (SELECT count(*) FROM found))"
)
# Of facts that cannot be there yet.
_INSERT_FRESH = (
    "INSERT INTO triples_triple (subject_id, object_id, predicate_id, weight, metadata, source, created_at)"
    " SELECT s, o, p, w, m::json, c, t FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::float8[], %s::text[],"
    " %s::smallint[], %s::bigint[]) AS k (s, o, p, w, m, c, t)"
)
_LOAD_FACTS = _INSERT_FRESH + " ON CONFLICT (subject_id, object_id, predicate_id) DO NOTHING"
_RETURNING = " RETURNING subject_id, object_id, predicate_id, id"
# The numbers by predicate, then the ranges of ids. Other writers take ids between those of these facts.
_REPORT_LOADED = (
    f"WITH loaded AS ({_LOAD_FACTS} RETURNING id, predicate_id)"
    " SELECT false AS ranged, predicate_id AS a, count(*) AS b FROM loaded GROUP BY predicate_id"
    " UNION ALL SELECT true, min(id), max(id)"
    " FROM (SELECT id, id - row_number() OVER (ORDER BY id) AS island FROM loaded) AS numbered GROUP BY island"
    " ORDER BY 1, 2"
)
_FIND_FACTS = (
    "SELECT t.subject_id, t.object_id, t.predicate_id, t.id"
    " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS k (s, o, p) JOIN triples_triple AS t"
    " ON t.subject_id = k.s AND t.object_id = k.o AND t.predicate_id = k.p"
)
_ROWS_BY_ID = (
    "SELECT t.id, t.created_at, t.updated_at, t.source, t.weight, t.metadata::text, s.text, p.text, o.text"
    " FROM triples_triple AS t JOIN triples_term AS s ON s.id = t.subject_id"
    " JOIN triples_term AS p ON p.id = t.predicate_id JOIN triples_term AS o ON o.id = t.object_id"
    " WHERE t.id = ANY(%s) ORDER BY t.id FOR UPDATE OF t"
)
_UPDATE_FACTS = (
    "UPDATE triples_triple AS t SET weight = k.w, metadata = k.m::json, updated_at = k.u"
    " FROM unnest(%s::bigint[], %s::float8[], %s::text[], %s::bigint[]) AS k (id, w, m, u) WHERE t.id = k.id"
)
_DELETE_FACTS = "DELETE FROM triples_triple WHERE id = ANY(%s)"
_RECORD_CHANGES = (
    "INSERT INTO triples_change (subject_id, predicate_id, object_id, gone)"
    " SELECT subject_id, predicate_id, object_id, %s::smallint FROM triples_triple"
    " WHERE id = ANY(%s) AND (SELECT max(id) FROM triples_recursionrun) IS NOT NULL"
    " RETURNING id, subject_id, predicate_id, object_id"
)
# Many writers can hold it at once. It conflicts only with the lock of a run.
_HOLD_INFERRED = "LOCK TABLE triples_hiddenfact IN ROW SHARE MODE"
_KEYS_BY_ID = "SELECT id, subject_id, object_id, predicate_id FROM triples_triple WHERE id = ANY(%s)"
# This strength does not conflict with the locks of those who add facts with these terms in any place.
_HOLD_SUBJECTS = "SELECT id FROM triples_term WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_WITHOUT_FACTS = (
    "SELECT k.s FROM unnest(%s::bigint[]) AS k (s) WHERE NOT EXISTS"
    " (SELECT 1 FROM triples_triple WHERE subject_id = k.s)"
)
_TALLY = (
    "INSERT INTO triples_tally AS t (shard, triples, subjects) VALUES (%s, %s, %s) ON CONFLICT (shard) DO UPDATE"
    " SET triples = t.triples + excluded.triples, subjects = t.subjects + excluded.subjects"
)
# Rows are locked in the given order, so two writers with the same shard cannot deadlock.
_PREDICATE_TALLY = (
    "INSERT INTO triples_predicatetally AS t (predicate_id, shard, facts)"
    " SELECT k.p, %s, k.n FROM unnest(%s::bigint[], %s::bigint[]) AS k (p, n)"
    " ON CONFLICT (predicate_id, shard) DO UPDATE SET facts = t.facts + excluded.facts"
)
TALLY_SHARDS = 16
# Nearly always, nobody else makes the same terms at this moment. To insert so many as if nobody did takes a quarter
# less than to look for such a writer at each.
_WORTH_A_SAVEPOINT = 20


class PostgreSQLSession(Session):
    # To cancel a statement takes another connection to the server.
    interrupts_at_once = False

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        [found] = fetch_all(self.driver, (sql, parameters))
        return found

    def interrupt(self) -> None:
        self.driver.cancel_safe()

    def find_terms(self, wanted: Collection[str]) -> dict[str, int]:
        return dict(self.rows(_FIND_TERMS, (texts(list(map(postgresql_key, wanted))),)))

    def insert_terms(self, new: Sequence[str]) -> dict[str, int]:
        columns = (texts(new), *parts_of_hashes(new))
        if len(new) >= _WORTH_A_SAVEPOINT:
            run_with_next(self.driver, "SAVEPOINT terms", ())
            try:
                made = self.rows(INSERT_TERMS, columns)
            except UniqueViolation:
                execute(self.driver, "ROLLBACK TO SAVEPOINT terms")
            else:
                run_with_next(self.driver, "RELEASE SAVEPOINT terms", ())
                return dict(made)
        return dict(self.rows(INSERT_TERMS_OR_PASS, columns))

    def find_or_make_terms(self, wanted: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
        found = self.find_terms(wanted)
        missing = sorted(set(wanted).difference(found))
        made = self.insert_terms(missing) if missing else {}
        if others := [text for text in missing if text not in made]:
            # Another writer committed these between our look and our insert.
            found |= self.find_terms(others)
        return found, made

    def find_or_make_terms_alone(self, wanted: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
        keys = texts(list(map(postgresql_key, wanted)))
        rows = self.rows(_FIND_OR_NUMBER, (keys, len(wanted)))
        found: dict[str, int] = {text: id_ for text, id_ in rows if id_ is not None}
        missing = sorted(set(wanted).difference(found))
        if not missing:
            return found, {}
        [ids] = [list(map(int, text.split(","))) for text, id_ in rows if id_ is None]
        # As their numbers are known, nobody waits until they are there.
        for statement in numbered_terms(missing, ids):
            run_with_next(self.driver, *statement)
        return found, dict(zip(missing, ids, strict=True))

    def insert_facts(
        self, facts: Sequence[NewFact], made: AbstractSet[int], older: AbstractSet[int], *, with_ids: bool
    ) -> tuple[dict[RowKey, int], set[int]]:
        # Nobody else can have added a fact with a term that nobody else sees. To look for such facts, and to return
        # their keys, would be a sixth of the time that it takes to insert them.
        fresh = [fact for fact in facts if not made.isdisjoint(fact[:3])]
        others = [fact for fact in facts if made.isdisjoint(fact[:3])] if len(fresh) < len(facts) else []
        statements: list[Statement] = [(_WITHOUT_FACTS, (numbers(older),))] if older else []
        if others:
            statements.append((_LOAD_FACTS + _RETURNING, _columns(others)))
        if fresh and with_ids:
            statements.append((_INSERT_FRESH + _RETURNING, _columns(fresh)))
        found = fetch_all(self.driver, *statements) if statements else []
        without = {id_ for (id_,) in found.pop(0)} if older else set()
        inserted = {row[:3]: row[3] for rows in found for row in rows}
        if fresh and not with_ids:
            run_with_next(self.driver, _INSERT_FRESH, _columns(fresh))
            inserted.update((fact[:3], 0) for fact in fresh)
        return inserted, without

    def load_facts(self, keys: Sequence[RowKey], facts: Mapping[RowKey, Fact], created_ms: int) -> LoadedFacts:
        found = self.rows(_REPORT_LOADED, _columns(NewFact(*key, *facts[key][3:], created_ms) for key in keys))
        predicates = {predicate: number for ranged, predicate, number in found if not ranged}
        return LoadedFacts(predicates, [IdRange(first, last) for ranged, first, last in found if ranged])

    def check_terms(self, ids: Collection[int]) -> None:
        """Nothing to do: the statement that writes facts looks up their terms, and locks them until the commit."""

    def find_facts(self, keys: Collection[RowKey]) -> dict[RowKey, int]:
        columns = list(map(numbers, zip(*keys, strict=True)))
        return {row[:3]: row[3] for row in self.rows(_FIND_FACTS, columns)}

    def rows_by_id(self, ids: Collection[int]) -> dict[int, Row]:
        return {row[0]: Row(*row) for row in self.rows(_ROWS_BY_ID, (list(ids),))}

    def update_facts(self, rows: Iterable[Row]) -> None:
        values = [(row.id, row.weight, row.metadata, row.updated_ms) for row in rows]
        self.driver.execute(_UPDATE_FACTS, [list(column) for column in zip(*values, strict=True)])

    def delete_facts(self, ids: Collection[int]) -> None:
        self.driver.execute(_DELETE_FACTS, (list(ids),))

    def record_changes(self, ids: Collection[int], gone: int | None = None) -> Rows:
        return self.rows(_RECORD_CHANGES, (gone, list(ids)))

    def hold_inferred(self) -> None:
        self.driver.execute(_HOLD_INFERRED)

    def hold_subjects(self, subject_ids: Collection[int]) -> None:
        run_with_next(self.driver, _HOLD_SUBJECTS, (numbers(subject_ids),))

    def without_facts(self, subject_ids: Collection[int]) -> set[int]:
        return {id_ for (id_,) in self.rows(_WITHOUT_FACTS, (list(subject_ids),))}

    def add_to_tally(self, triples: int, subjects: int, predicates: Counts) -> None:
        shard = self.driver.info.backend_pid % TALLY_SHARDS
        run_with_next(self.driver, _TALLY, (shard, triples, subjects))
        if predicates:
            ordered = sorted(predicates)
            run_with_next(self.driver, _PREDICATE_TALLY, (shard, ordered, [predicates[id_] for id_ in ordered]))

    def keys_by_id(self, ids: Collection[int]) -> dict[int, RowKey]:
        return {row[0]: row[1:] for row in self.rows(_KEYS_BY_ID, (list(ids),))}


def _columns(facts: Iterable[NewFact]) -> list[str]:
    """The arrays of each column of new rows."""
    *keys, weights, metadata, sources, created = zip(*facts, strict=True)
    return [*map(numbers, keys), numbers(weights), texts(metadata), numbers(map(int, sources)), numbers(created)]
