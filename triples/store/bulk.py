"""Bulk load: facts are stored in chunks, and other writers go first as soon as they wait."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from math import inf
from time import monotonic
from typing import NamedTuple

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from skg_site.host.write_lock import write_lock
from triples.ids import now_ms
from triples.store.backend import backend
from triples.store.bulk_interface import InitialLoad
from triples.store.fact_columns import FactColumns
from triples.store.group_commit import ATTEMPTS, open_session
from triples.store.id_sets import IdSet
from triples.store.inferred.hiding import record_gone
from triples.store.operations import Fact, Row
from triples.store.sessions import IdRange, RowKey, Session
from triples.store.term_cache import TermCache
from triples.store.transaction import GroupConflict, Terms

SMALLEST_SLICE, FIRST_SLICE, LARGEST_SLICE = 100, 1_000, 10_000
# The share that a transaction may take of the time in which no other writer has waited.
_SHARE_OF_QUIET = 0.2
LARGEST_CHUNK = 200_000
REMEMBERED_TERMS = 200_000


class Loaded(NamedTuple):
    """Counts of loaded facts by what was done with them."""

    inserted: int
    updated: int
    duplicates: int

    def plus(self, other: "Loaded") -> "Loaded":
        return Loaded(*map(sum, zip(self, other, strict=True)))


# Called in each transaction, before its commit, with the ids of the new facts in rising order.
Record = Callable[[Sequence[IdRange], Loaded], None]


class Watermark(NamedTuple):
    """The id and time of a fact. A database that holds this fact also holds all that was committed before it."""

    id: int
    created_ms: int


class _GiveWay(Exception):
    """Other writers wait, so the transaction is rolled back."""


class Loader:
    """Loads chunk after chunk, and remembers the ids of terms between them.

    An existing fact stays as it is or, with `replace`, gets the new weight and metadata. With `greatest`, the heaviest
    of those that are the same fact is stored, in whichever chunks they are. Only if another process goes on with the
    load, a fact that stood before just as an earlier chunk has it can get the weight of a lighter one with `replace`.
    """

    def __init__(self, *, replace: bool = False, greatest: bool = False) -> None:
        self.record: Record | None = None
        self._new_ids: list[IdRange] = []
        self._replace = replace
        self.greatest = greatest
        # The facts from before that this load has been told of, in committed chunks and in the open transaction.
        self._told, self._told_now = IdSet(), set[int]()
        # The newest fact before this load, and when that began. None until it is known.
        self.began: Watermark | None = None
        self._cache = TermCache(REMEMBERED_TERMS)
        # The most facts that an initial load can have; 0 if none is possible any more, None until that is known.
        self._most_at_first: int | None = None
        # The number of facts that the next slice should have.
        self.slice_size = FIRST_SLICE
        # Since when no other writer has waited.
        self._quiet_since = monotonic()

    @property
    def chunk_size(self) -> int:
        """The number of facts that the next chunk should have."""
        if self._most_at_first is None:
            initial = backend().bulk.initial_load(inf)
            self._most_at_first = 0 if initial is None else initial.MOST_FACTS
        if self._most_at_first:
            return self._most_at_first
        return min(self.slice_size * self._slices, LARGEST_CHUNK)

    @property
    def _slices(self) -> int:
        """The number of slices that the next transaction should have."""
        bulk = backend().bulk
        fitting = round((monotonic() - self._quiet_since) * _SHARE_OF_QUIET / bulk.SLICE_SECONDS)
        return min(max(fitting, bulk.FEWEST_SLICES), bulk.MOST_SLICES)

    def load(self, facts: Sequence[Fact]) -> Loaded:
        """Commit a chunk, in several transactions if other writers wait.

        If a Django database error is raised, the transactions before it stay committed.
        """
        loaded = Loaded(0, 0, 0)
        given = len(facts)
        if self.greatest and facts:
            self.began = self.began or Watermark(getattr(newest_fact(), "id", 0), now_ms())
            facts = FactColumns.of(facts).heaviest()
        if (initial := backend().bulk.initial_load(len(facts))) is not None:
            with suppress(_GiveWay):
                loaded = self._tried(partial(self._load_first, initial, FactColumns.of(facts)))
        self._most_at_first = 0
        while (done := sum(loaded)) < len(facts):
            loaded = loaded.plus(self._tried(partial(self._commit, facts, done)))
        return loaded.plus(Loaded(0, 0, given - len(facts)))

    def count_new(self, facts: Collection[Fact]) -> int:
        """Count the different facts among these that the graph does not hold. Nothing is stored."""
        with connection.wrap_database_errors:
            session = open_session(connection)
            ids = session.find_terms({text for fact in facts for text in fact[:3]})
            keys: set[RowKey] = set()
            unknown: set[tuple[str, str, str]] = set()
            for fact in facts:
                if all(text in ids for text in fact[:3]):
                    keys.add((ids[fact.subject], ids[fact.object], ids[fact.predicate]))
                else:
                    unknown.add(fact[:3])
            standing = session.find_facts(sorted(keys)) if keys else {}
        return len(unknown) + len(keys) - len(standing)

    def _tried(self, commit: Callable[[], Loaded]) -> Loaded:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return commit()
            except (OperationalError, InterfaceError, IntegrityError):
                # The connection broke, other writers were in the way, or the remembered ids are of another database.
                if attempt == ATTEMPTS or connection.in_atomic_block:
                    raise
                connection.close()
        raise AssertionError("the last attempt returns or raises")

    def _commit(self, facts: Sequence[Fact], start: int) -> Loaded:
        """Commit the facts from `start` on, slice by slice, until all are written or other writers wait."""
        loaded, bulk = Loaded(0, 0, 0), backend().bulk
        # Whoever waits then also waits until that is written.
        room = bulk.roomy() if self._slices > bulk.FEWEST_SLICES else nullcontext()
        with room, self._transaction() as session:
            while True:
                began = monotonic()
                part = facts[start : start + self.slice_size]
                loaded = loaded.plus(self._write(session, part))
                start += len(part)
                self._adapt(len(part), bulk.SLICE_SECONDS, monotonic() - began)
                awaited = bulk.others_wait()
                if awaited or start >= len(facts):
                    break
            self._tell(loaded)
        if awaited:
            bulk.give_way()
            self._quiet_since = monotonic()
        return loaded

    def _load_first(self, initial: InitialLoad, facts: FactColumns) -> Loaded:
        """Commit the first facts of a graph in one transaction. Raises _GiveWay if other writers wait."""

        def look_up() -> None:
            if backend().bulk.others_wait():
                raise _GiveWay

        with initial.ready_to_sort(open_session(connection)), self._transaction() as session:
            loaded = initial.load(session, facts, look_up, keep_last=self._replace)
            if loaded is None:
                raise _GiveWay
            self._cache.update(loaded.ids)
            _record_denials(session, loaded.denials)
            session.add_to_tally(loaded.facts, loaded.subjects, loaded.predicates)
            self._new_ids.append(loaded.new_ids)
            counts = Loaded(loaded.facts, 0, len(facts) - loaded.facts)
            self._tell(counts)
            return counts

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        # SQLite would look up the foreign keys of each fact, which takes a third of the time. Instead `check_terms`
        # looks them up for a whole slice.
        with write_lock(), backend().bulk.unchecked():
            self._new_ids.clear()
            try:
                with transaction.atomic(), connection.wrap_database_errors:
                    yield open_session(connection)
            except BaseException:
                # It may hold ids of terms that were rolled back.
                self._cache.clear()
                self._told_now.clear()
                raise
            self._told.update(self._told_now)
            self._told_now.clear()

    def _tell(self, loaded: Loaded) -> None:
        if self.record is not None and (loaded.inserted or loaded.updated):
            self.record(self._new_ids, loaded)

    def _adapt(self, facts: int, wanted: float, seconds: float) -> None:
        """Choose the size of the next slice so that it takes `wanted` seconds; this one took `seconds`."""
        fitting = facts * wanted / seconds
        self.slice_size = round(min(max(fitting, SMALLEST_SLICE), 2 * self.slice_size, LARGEST_SLICE))

    def _write(self, session: Session, facts: Sequence[Fact]) -> Loaded:
        """Write facts in the open transaction."""
        subjects, predicates, objects = list(zip(*facts, strict=True))[:3]
        terms = Terms(session, self._cache)
        ids = terms.ids({*subjects, *predicates, *objects})
        terms.check()
        terms.remember()
        keys = list(zip(*(map(ids.__getitem__, texts) for texts in (subjects, objects, predicates)), strict=True))
        # Of facts with the same key, the first is kept or the last replaces the others.
        order = slice(None) if self._replace else slice(None, None, -1)
        distinct = dict(zip(keys[order], facts[order], strict=True))
        moment = now_ms()
        ordered = sorted(distinct)
        fresh = _subjects_without_facts(session, set(map(ids.__getitem__, subjects)), terms.made)
        new, ids_of_new = session.load_facts(ordered, distinct, moment)
        self._new_ids += ids_of_new
        inserted, updated = sum(new.values()), 0
        if (self._replace or self.greatest) and inserted < len(ordered):
            updated = self._update(session, distinct, moment)
        _record_denials(session, [key for key in ordered if distinct[key].weight == 0])
        if inserted:
            session.add_to_tally(inserted, fresh, new)
        return Loaded(inserted, updated, len(facts) - inserted - updated)

    def _update(self, session: Session, wanted: Mapping[RowKey, Fact], moment: int) -> int:
        """Give existing facts their new weight and metadata. Returns how many differed; those just inserted do not."""
        oldest = 0 if self._replace or self.began is None else self.began.id
        standing = {key: id_ for key, id_ in session.find_facts(wanted).items() if id_ > oldest}
        rows = session.rows_by_id(sorted(standing.values()))
        if self._replace and len(rows) < len(wanted):
            raise GroupConflict("a fact was removed while it was added again")
        changed = [
            rows[id_]._replace(weight=wanted[key].weight, metadata=wanted[key].metadata, updated_ms=moment)
            for key, id_ in standing.items()
            if id_ in rows and self._takes(rows[id_], wanted[key])
        ]
        if self._replace and self.greatest:
            self._told_now.update(rows)
        # `_record_denials` records those that get weight 0.
        if reweighted := [row.id for row in changed if row.weight not in {0, rows[row.id].weight}]:
            session.record_changes(reweighted)
        if changed:
            session.update_facts(changed)
        return len(changed)

    def _takes(self, row: Row, fact: Fact) -> bool:
        """True if an existing fact gets the weight and metadata of another."""
        began = self.began
        if began is not None and (
            row.id > began.id
            or row.id in self._told_now
            or row.id in self._told
            or (self._replace and (row.updated_ms or 0) >= began.created_ms)
        ):
            return fact.weight > row.weight
        return self._replace and (row.weight, row.metadata) != (fact.weight, fact.metadata)


def newest_fact() -> Watermark | None:
    """The fact that was stored last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, created_at FROM triples_triple ORDER BY id DESC LIMIT 1")
        found = cursor.fetchone()
    return None if found is None else Watermark(*found)


def is_stored(watermark: Watermark) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM triples_triple WHERE id = %s AND created_at = %s", watermark)
        return cursor.fetchone() is not None


def _record_denials(session: Session, keys: Sequence[RowKey]) -> None:
    """Record facts of weight 0: such a fact invalidates the inferred facts that rest on it, as its removal would."""
    rows = session.rows_by_id(sorted(session.find_facts(keys).values())) if keys else {}
    # Some may have existed before, and have kept their weight.
    if denied := [id_ for id_, row in rows.items() if row.weight == 0]:
        record_gone(session, removed=(), denied=denied)


def _subjects_without_facts(session: Session, subjects: set[int], made: set[int]) -> int:
    """Count the terms that become subjects now. Until the commit, no other writer can add facts to them."""
    # A term that this transaction made has no facts yet, and no other writer can see it.
    fresh = len(subjects & made)
    if older := subjects - made:
        session.hold_subjects(sorted(older))
        fresh += len(session.without_facts(older))
    return fresh
