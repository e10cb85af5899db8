"""Bulk load: facts in chunks, each a commit of its own, so that other writers get their turn in between."""

from collections.abc import Collection, Sequence
from time import monotonic, time_ns
from typing import NamedTuple

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from triples.store.operations import Fact
from triples.store.sessions import Key, NewFact, Session
from triples.store.terms import TermCache, Terms
from triples.store.transaction import GroupConflict
from triples.store.writing import ATTEMPTS, open_session, write_lock

# A chunk is as large as can be written in this time, for which others wait: on SQLite every other writer, on
# PostgreSQL only those that add the same new terms or add to the same subjects.
CHUNK_SECONDS = {"sqlite": 0.1, "postgresql": 0.5}
SMALLEST_CHUNK, FIRST_CHUNK, LARGEST_CHUNK = 100, 1_000, 10_000
REMEMBERED_TERMS = 100_000


class Loaded(NamedTuple):
    """What became of a chunk."""

    inserted: int
    updated: int
    duplicates: int


class Landmark(NamedTuple):
    """A fact by its key and its time. A database that holds it has kept all that was committed before it."""

    id: int
    created_ms: int


class Loader:
    """Loads chunk after chunk, and remembers the ids of terms between them.

    A fact that stands already is left as it is; with `replace` it is given the new weight and metadata.
    """

    def __init__(self, *, replace: bool = False) -> None:
        self._replace = replace
        self._cache = TermCache(REMEMBERED_TERMS)
        # How many facts the next chunk should have.
        self.chunk_size = FIRST_CHUNK

    def load(self, facts: Sequence[Fact]) -> Loaded:
        """Commit a chunk; Django's database errors when that fails, and then nothing of it is stored."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._commit(facts)
            except (OperationalError, InterfaceError, IntegrityError):
                # The connection broke, other writers were in the way, or the remembered ids are of another database.
                self._cache.clear()
                if attempt == ATTEMPTS or connection.in_atomic_block:
                    raise
                connection.close()
        raise AssertionError("the last attempt returns or raises")

    def count_new(self, facts: Collection[Fact]) -> int:
        """How many different facts of these the graph does not hold; nothing is stored."""
        with connection.wrap_database_errors:
            session = open_session(connection)
            ids = session.find_terms({text for fact in facts for text in fact[:3]})
            keys: set[Key] = set()
            unknown: set[tuple[str, str, str]] = set()
            for fact in facts:
                if all(text in ids for text in fact[:3]):
                    keys.add((ids[fact.subject], ids[fact.object], ids[fact.predicate]))
                else:
                    unknown.add(fact[:3])
            standing = session.find_facts(sorted(keys)) if keys else {}
        return len(unknown) + len(keys) - len(standing)

    def _commit(self, facts: Sequence[Fact]) -> Loaded:
        with write_lock():
            start = monotonic()
            with transaction.atomic(), connection.wrap_database_errors:
                session = open_session(connection)
                terms = Terms(session, self._cache)
                loaded = self._write(session, terms, facts)
            seconds = monotonic() - start
        terms.remember()
        fitting = len(facts) * CHUNK_SECONDS[connection.vendor] / seconds
        self.chunk_size = round(min(max(fitting, SMALLEST_CHUNK), 2 * self.chunk_size, LARGEST_CHUNK))
        return loaded

    def _write(self, session: Session, terms: Terms, facts: Sequence[Fact]) -> Loaded:
        ids = terms.ids({text for fact in facts for text in fact[:3]})
        now_ms = time_ns() // 1_000_000
        rows: dict[Key, NewFact] = {}
        for subject, predicate, object_, weight, metadata, source in facts:
            key = (ids[subject], ids[object_], ids[predicate])
            if self._replace or key not in rows:
                rows[key] = NewFact(*key, weight, metadata, source, now_ms)
        fresh = _subjects_without_facts(session, {key[0] for key in rows}, terms.made)
        ordered = [rows[key] for key in sorted(rows)]
        if self._replace:
            inserted, updated = _upsert(session, ordered, now_ms)
        else:
            inserted, updated = session.load_facts(ordered), 0
        # An asserted fact of weight 0 makes an inferred one false, as its removal would.
        if denials := [fact[:3] for fact in ordered if fact.weight == 0]:
            session.record_changes(sorted(session.find_facts(denials).values()))
        if inserted:
            session.add_to_tally(inserted, fresh)
        return Loaded(inserted, updated, len(facts) - inserted - updated)


def newest_fact() -> Landmark | None:
    """The fact that was stored last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, created_at FROM triples_triple ORDER BY id DESC LIMIT 1")
        found = cursor.fetchone()
    return None if found is None else Landmark(*found)


def is_stored(landmark: Landmark) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM triples_triple WHERE id = %s AND created_at = %s", landmark)
        return cursor.fetchone() is not None


def _subjects_without_facts(session: Session, subjects: set[int], made: set[int]) -> int:
    """How many of the subjects are new as such; until the commit no other writer can make them so."""
    # A term made just now is the subject of nothing yet, and nobody else can see it.
    fresh = len(subjects & made)
    if older := subjects - made:
        session.hold_subjects(sorted(older))
        fresh += len(session.without_facts(older))
    return fresh


def _upsert(session: Session, facts: Sequence[NewFact], now_ms: int) -> tuple[int, int]:
    """Insert the facts that are new and change those that differ; how many of each."""
    inserted = session.insert_facts(facts)
    wanted = {fact[:3]: fact for fact in facts if fact[:3] not in inserted}
    if not wanted:
        return len(inserted), 0
    standing = session.find_facts(wanted)
    rows = session.rows_by_id(sorted(standing.values()))
    if len(rows) < len(wanted):
        raise GroupConflict("a fact was removed while it was added again")
    changed = [
        rows[id_]._replace(weight=wanted[key].weight, metadata=wanted[key].metadata, updated_ms=now_ms)
        for key, id_ in standing.items()
        if (rows[id_].weight, rows[id_].metadata) != (wanted[key].weight, wanted[key].metadata)
    ]
    if reweighted := [row.id for row in changed if row.weight != rows[row.id].weight]:
        session.record_changes(reweighted)
    if changed:
        session.update_facts(changed)
    return len(inserted), len(changed)
