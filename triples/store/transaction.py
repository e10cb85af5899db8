"""Applying a group of operations in one transaction, the same for both databases.

The operations of a group arrived at the same time, so they may be done in any order: facts are added first, by one
sorted statement, then rows are changed and removed. Each operation gets its own outcome.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from django.db import OperationalError

from triples.ids import fitting, now_ms
from triples.store.inferred.hiding import record_gone
from triples.store.operations import (
    KEEP,
    AddMany,
    AddOne,
    Change,
    DuplicateFacts,
    Fact,
    ManyRemoved,
    ManyStored,
    NoSuchFact,
    Operation,
    Outcome,
    Remove,
    RemoveMany,
    Row,
    Stored,
    VersionMismatch,
)
from triples.store.sessions import NewFact, RowKey, Session
from triples.store.term_cache import TermCache


class GroupConflict(OperationalError):
    """Another writer changed a row meanwhile, so the transaction must be tried again."""


class Transaction:
    """Applies operations through a session, inside a transaction that the caller opens and commits."""

    def __init__(self, session: Session, cache: TermCache, *, alone: bool = False) -> None:
        """`alone` is that of `Terms`."""
        self.session = session
        self.terms = Terms(session, cache, alone=alone)
        self.now_ms = now_ms()
        # Facts that this transaction inserted, until an outcome reports their insertion. In a group of batches alone,
        # which show no ids, these may be 0.
        self.inserted: dict[RowKey, int] = {}
        # Facts that an `AddOne` repeats, with the ids of their rows.
        self.known: dict[RowKey, int] = {}
        # Rows as this transaction will leave them; None for a row that it removes.
        self.rows: dict[int, Row | None] = {}
        self.changed: set[int] = set()
        # The changed rows whose weight differs, which matters to the facts that rest on them.
        self.reweighted: set[int] = set()
        # Inserted rows with weight 0.
        self.denials: list[int] = []
        self.tally = [0, 0]
        self.predicates: Counter[int] = Counter()

    def apply(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Apply the operations and return the outcome of each. At a `DuplicateFacts`, the caller must roll back."""
        adds = [operation for operation in operations if isinstance(operation, (AddOne, AddMany))]
        keys, candidates = self._resolve([operation.facts for operation in adds])
        self.terms.check()
        removing = [id_ for operation in operations for id_ in operation.ids if not isinstance(operation, Change)]
        # Nobody else sees a term that this transaction made.
        self._hold_subjects({key[0] for key in candidates} - self.terms.made, removing)
        if candidates:
            self._insert(candidates, with_ids=not all(isinstance(operation, AddMany) for operation in operations))
        self._load_rows(operations, adds, keys)
        claims = iter(keys)
        outcomes = [self._outcome(operation, claims) for operation in operations]
        self._write_changes()
        if self.predicates:
            self.session.add_to_tally(self.tally[0], self.tally[1], self.predicates)
        return outcomes

    def _resolve(self, groups: list[Sequence[Fact]]) -> tuple[list[list[RowKey]], dict[RowKey, NewFact]]:
        """The keys of each group's facts, and a row to insert for each distinct key."""
        candidates: dict[RowKey, NewFact] = {}
        if not groups:
            return [], candidates
        ids = self.terms.ids({text for facts in groups for fact in facts for text in fact[:3]})
        keys: list[list[RowKey]] = []
        for facts in groups:
            group: list[RowKey] = []
            for subject, predicate, object_, weight, metadata, source in facts:
                key = (ids[subject], ids[object_], ids[predicate])
                group.append(key)
                if key not in candidates:
                    # Of a batch's time, a call of NewFact takes a hundredth.
                    candidates[key] = tuple.__new__(NewFact, (*key, weight, metadata, source, self.now_ms))
            keys.append(group)
        return keys, candidates

    def _hold_subjects(self, adding: set[int], removing: Sequence[int]) -> None:
        held = adding.union(key[0] for key in self.session.keys_by_id(removing).values()) if removing else adding
        if held:
            self.session.hold_subjects(sorted(held))

    def _insert(self, candidates: dict[RowKey, NewFact], *, with_ids: bool) -> None:
        subjects = {key[0] for key in candidates}
        # A term that this transaction made has no facts yet, so no statement is needed.
        fresh = subjects & self.terms.made
        ordered = [candidates[key] for key in sorted(candidates)]
        # A fact of weight 0 invalidates what rests on it, as its removal would.
        denying = [fact[:3] for fact in ordered if fact.weight == 0]
        self.inserted, without = self.session.insert_facts(
            ordered, self.terms.made, subjects - fresh, with_ids=with_ids or bool(denying)
        )
        self.tally = [len(self.inserted), len(fresh | without)]
        self.predicates = Counter(key[2] for key in self.inserted)
        self.denials = [self.inserted[key] for key in denying if key in self.inserted]

    def _load_rows(
        self, operations: Sequence[Operation], adds: Sequence[AddOne | AddMany], keys: list[list[RowKey]]
    ) -> None:
        """Read the rows that outcomes show or change: those named by id, and those that an `AddOne` repeats."""
        named = {id_ for operation in operations for id_ in operation.ids}
        claimed: set[RowKey] = set()
        repeated: set[RowKey] = set()
        for operation, group in zip(adds, keys, strict=True):
            if isinstance(operation, AddOne) and (group[0] not in self.inserted or group[0] in claimed):
                repeated.add(group[0])
            claimed.update(group)
        self.known = self.session.find_facts(repeated) if repeated else {}
        if wanted := named.union(self.known.values()):
            self.rows.update(self.session.rows_by_id(sorted(wanted)))

    def _outcome(self, operation: Operation, claims: Iterator[list[RowKey]]) -> Outcome:
        match operation:
            case AddOne():
                return self._add_one(operation, next(claims)[0])
            case AddMany():
                return self._add_many(operation, next(claims))
            case Change():
                return self._change(operation)
            case Remove():
                return self._remove(operation)
            case RemoveMany():
                return self._remove_many(operation)

    def _add_one(self, operation: AddOne, key: RowKey) -> Outcome:
        fact = operation.fact
        id_ = self.inserted.pop(key, None)
        if id_ is not None and id_ not in self.rows:
            texts = (fact.subject, fact.predicate, fact.object)
            row = Row(id_, self.now_ms, None, fact.source, fact.weight, fact.metadata, *texts)
            return Stored("inserted", row)
        standing = self.rows.get(self.known.get(key, 0))
        if id_ is not None and standing is not None:
            return Stored("inserted", standing)
        if standing is None:
            raise GroupConflict("a fact was removed while it was added again")
        if not operation.replace:
            return Stored("exists", standing)
        return Stored("updated", self._set(standing, fact.weight, fact.metadata))

    def _add_many(self, operation: AddMany, keys: list[RowKey]) -> Outcome:
        duplicates = [place for place, key in enumerate(keys) if self.inserted.pop(key, None) is None]
        if duplicates and not operation.skip_duplicates:
            return DuplicateFacts(duplicates)
        return ManyStored(len(keys) - len(duplicates), duplicates)

    def _change(self, operation: Change) -> Outcome:
        row = self._current(operation)
        if not isinstance(row, Row):
            return row
        weight = row.weight if operation.weight is KEEP else operation.weight
        metadata = row.metadata if operation.metadata is KEEP else operation.metadata
        return self._set(row, weight, metadata)

    def _remove(self, operation: Remove) -> Outcome:
        row = self._current(operation)
        if isinstance(row, Row):
            self.rows[row.id] = None
            self.changed.add(row.id)
        return row

    def _remove_many(self, operation: RemoveMany) -> Outcome:
        removed = 0
        for id_ in operation.ids:
            row = self.rows.get(id_)
            if row is not None and operation.least <= row.weight <= operation.greatest:
                self.rows[id_] = None
                self.changed.add(id_)
                removed += 1
        return ManyRemoved(removed)

    def _current(self, operation: Change | Remove) -> Row | NoSuchFact | VersionMismatch:
        row = self.rows.get(operation.id)
        if row is None or fitting(row.created_ms) != operation.created_ms:
            return NoSuchFact()
        if operation.versions is not None and row.version not in operation.versions:
            return VersionMismatch()
        return row

    def _set(self, row: Row, weight: float, metadata: str | None) -> Row:
        updated = row._replace(weight=weight, metadata=metadata, updated_ms=self.now_ms)
        self.rows[row.id] = updated
        self.changed.add(row.id)
        if weight != row.weight:
            self.reweighted.add(row.id)
        return updated

    def _write_changes(self) -> None:
        updated = [row for id_ in sorted(self.changed) if (row := self.rows[id_]) is not None]
        removed = sorted(id_ for id_ in self.changed if self.rows[id_] is None)
        self._record_changes(removed)
        if updated:
            self.session.update_facts(updated)
        if removed:
            keys = self.session.keys_by_id(removed).values()
            self.session.delete_facts(removed)
            self.tally[0] -= len(removed)
            self.tally[1] -= len(self.session.without_facts({key[0] for key in keys}))
            self.predicates.subtract(key[2] for key in keys)

    def _record_changes(self, removed: Collection[int]) -> None:
        """Record changes in the journal. The transaction locks no rows after this; see `record_gone`."""
        weights = {id_: row.weight for id_ in self.reweighted if (row := self.rows[id_]) is not None}
        standing = sorted(id_ for id_, weight in weights.items() if weight > 0)
        denied = set(weights).union(self.denials).difference(removed, standing)
        if standing:
            self.session.record_changes(standing)
        if removed or denied:
            record_gone(self.session, removed, denied)


class Terms:
    """The ids that one transaction needs; what it learns is remembered only once it is committed."""

    def __init__(self, session: Session, cache: TermCache, *, alone: bool = False) -> None:
        """`alone` supposes that nobody else makes the same terms at this moment, and fails if somebody does."""
        self._session = session
        self._find_or_make = session.find_or_make_terms_alone if alone else session.find_or_make_terms
        self._cache = cache
        self._learned: dict[str, int] = {}
        self.made: set[int] = set()
        # What was not learned in this transaction, and may be a term no more.
        self._remembered: set[int] = set()

    def ids(self, texts: Collection[str]) -> dict[str, int]:
        """The id of each text; texts that are no terms yet become some."""
        ids: dict[str, int] = {}
        unknown: list[str] = []
        for text in texts:
            found = self._cache.get(text)
            if found is None:
                unknown.append(text)
            else:
                ids[text] = found
        self._remembered.update(ids.values())
        if unknown:
            self._learned, made = self._find_or_make(unknown)
            self.made = set(made.values())
            self._learned |= made
            ids |= self._learned
        return ids

    def check(self) -> None:
        """IntegrityError if one that was remembered is a term no more: what was made of it is not so."""
        if self._remembered:
            self._session.check_terms(self._remembered)

    def remember(self) -> None:
        """Keep what was learned, after the commit."""
        self._cache.update(self._learned)
