"""The interface of a session: one connection, with the statements of writes in its database's SQL.

`triples.store.sqlite.session` and `triples.store.postgresql.session` implement it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, NamedTuple

from triples.store.operations import Fact, Row

# A key in the order of the columns: subject, object, predicate. The engine's `Key` has the predicate second.
RowKey = tuple[int, int, int]
# Numbers of facts by predicate.
Counts = Mapping[int, int]
Rows = list[tuple[Any, ...]]
# Runs a statement with its parameters and returns the rows; every read is given one.
Fetch = Callable[[str, Sequence[Any]], Rows]


class IdRange(NamedTuple):
    """Consecutive ids of facts. None of them is the id of a fact that somebody else added."""

    first: int
    last: int


class LoadedFacts(NamedTuple):
    """The facts that a bulk load inserted: their numbers by predicate, and their ids in rising order."""

    predicates: Counts
    ids: Sequence[IdRange]


class NewFact(NamedTuple):
    """A row to insert, by the ids of its terms, in the order of the columns."""

    subject_id: int
    object_id: int
    predicate_id: int
    weight: float
    metadata: str | None
    source: int
    created_ms: int


class Session(ABC):
    """The statements of a write. All run inside a transaction that the caller opened."""

    # False if `interrupt` can take a while.
    interrupts_at_once: ClassVar[bool]

    def __init__(self, driver: Any) -> None:
        # The driver's connection is used directly: Django's cursors rewrite placeholders and record every statement.
        self.driver = driver

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        found: Rows = self.driver.execute(sql, parameters).fetchall()
        return found

    @abstractmethod
    def interrupt(self) -> None:
        """Interrupt the statement that runs on the connection, if any. Called from another thread."""

    @abstractmethod
    def find_terms(self, texts: Collection[str]) -> dict[str, int]:
        """The ids of the texts that are terms."""

    @abstractmethod
    def insert_terms(self, texts: Sequence[str]) -> dict[str, int]:
        """Make terms of sorted texts. Returns the ids of those that no other writer made first."""

    @abstractmethod
    def find_or_make_terms(self, texts: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
        """The ids of the texts that are terms, and of the others, which become some."""

    def find_or_make_terms_alone(self, texts: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
        """The same, supposing that no other writer makes one of them at this moment.

        Fails if one does, perhaps only at the commit.
        """
        return self.find_or_make_terms(texts)

    @abstractmethod
    def insert_facts(
        self, facts: Sequence[NewFact], made: AbstractSet[int], older: AbstractSet[int], *, with_ids: bool
    ) -> tuple[dict[RowKey, int], set[int]]:
        """Insert the facts that do not exist yet, which are sorted by key, each key once.

        `made` are the terms that this transaction made; no fact has them yet. Returns the ids of the new rows, and
        those of the subjects `older` that had no facts before. Without `with_ids`, any id of a new row may be 0, and
        the row need not be there before the next statement of this class that returns something, or the commit.
        """

    @abstractmethod
    def load_facts(self, keys: Sequence[RowKey], facts: Mapping[RowKey, Fact], created_ms: int) -> LoadedFacts:
        """Insert the facts with these sorted keys that do not exist yet. All come from the same source."""

    @abstractmethod
    def check_terms(self, ids: Collection[int]) -> None:
        """Raise IntegrityError unless all of these are terms; on PostgreSQL, perhaps only when a fact is written."""

    @abstractmethod
    def find_facts(self, keys: Collection[RowKey]) -> dict[RowKey, int]:
        """The ids of the facts (subject, object, predicate) that are stored."""

    @abstractmethod
    def rows_by_id(self, ids: Collection[int]) -> dict[int, Row]:
        """The rows with these ids, locked until the transaction ends."""

    @abstractmethod
    def update_facts(self, rows: Collection[Row]) -> None:
        """Write the weight, the metadata and the time of change of each row."""

    @abstractmethod
    def delete_facts(self, ids: Collection[int]) -> None: ...

    @abstractmethod
    def record_changes(self, ids: Collection[int], gone: int | None = None) -> Rows:
        """Record in the journal that these facts are about to be deleted or to change their weight.

        Does nothing before the first run. Returns the journal's new rows: id, subject, predicate, object. `gone` is
        that of `triples.models.Change`.
        """

    @abstractmethod
    def hold_inferred(self) -> None:
        """Keep runs from replacing the inferred facts until the transaction ends."""

    @abstractmethod
    def hold_subjects(self, subject_ids: Collection[int]) -> None:
        """Keep other writers from adding the first or removing the last fact of these subjects meanwhile."""

    @abstractmethod
    def without_facts(self, subject_ids: Collection[int]) -> set[int]:
        """The terms, of these, that are not the subject of any fact."""

    @abstractmethod
    def add_to_tally(self, triples: int, subjects: int, predicates: Counts) -> None:
        """Add these numbers, which may be negative, to the counts of facts, of subjects, and of facts by predicate."""

    @abstractmethod
    def keys_by_id(self, ids: Collection[int]) -> dict[int, RowKey]:
        """The subject, object and predicate of each fact, by the fact's id."""
