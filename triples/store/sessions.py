"""One connection and the statements that writing needs, in the words of its database.

`Session` says what each does; `triples.store.sqlite.session` and `triples.store.postgresql.session` how.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, NamedTuple

from triples.store.operations import Fact, Row

Key = tuple[int, int, int]
# Numbers of facts by predicate.
Counts = Mapping[int, int]
Rows = list[tuple[Any, ...]]
# What a read is given: a function from a statement and its parameters to the rows.
Fetch = Callable[[str, Sequence[Any]], Rows]


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

    # Whether `interrupt` takes no time.
    interrupts_at_once: ClassVar[bool]

    def __init__(self, driver: Any) -> None:
        # The driver's own connection: Django's cursors rewrite placeholders and record every statement.
        self.driver = driver

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        found: Rows = self.driver.execute(sql, parameters).fetchall()
        return found

    @abstractmethod
    def interrupt(self) -> None:
        """From another thread: break off the statement that runs on the connection, if any does."""

    @abstractmethod
    def find_terms(self, texts: Collection[str]) -> dict[str, int]:
        """The ids of those texts that are terms."""

    @abstractmethod
    def insert_terms(self, texts: Sequence[str]) -> dict[str, int]:
        """Make terms of sorted texts; the ids of those that no other writer made first."""

    @abstractmethod
    def insert_facts(self, facts: Sequence[NewFact], made: AbstractSet[int], /) -> dict[Key, int]:
        """Insert facts, sorted and distinct by key, where they do not stand yet; the ids of the new rows.

        `made` are terms of this very transaction, of which no fact can stand.
        """

    @abstractmethod
    def load_facts(self, keys: Sequence[Key], facts: Mapping[Key, Fact], created_ms: int) -> Counts:
        """Insert the facts that have these sorted keys where they do not stand yet; how many are new, by predicate.

        All come from the same source.
        """

    @abstractmethod
    def check_terms(self, ids: Collection[int]) -> None:
        """IntegrityError unless all of these are terms, or when a fact is first written with one that is not."""

    @abstractmethod
    def find_facts(self, keys: Collection[Key]) -> dict[Key, int]:
        """The ids of those facts (subject, object, predicate) that are stored."""

    @abstractmethod
    def rows_by_id(self, ids: Collection[int]) -> dict[int, Row]:
        """Rows that stay as they are until the transaction ends."""

    @abstractmethod
    def update_facts(self, rows: Iterable[Row]) -> None:
        """Write weight, metadata and time of change."""

    @abstractmethod
    def delete_facts(self, ids: Collection[int]) -> None: ...

    @abstractmethod
    def record_changes(self, ids: Collection[int], gone: int | None = None) -> Rows:
        """Once there has been a run: tell the next one that these facts are about to go or to change their weight.

        The journal's new rows: their ids, and subject, predicate and object. `gone` is as `triples.models.Change` says.
        """

    @abstractmethod
    def hold_inferred(self) -> None:
        """Keep runs from putting other inferred facts in place before the transaction ends."""

    @abstractmethod
    def hold_subjects(self, subject_ids: Collection[int]) -> None:
        """Keep other writers from adding these subjects' first or removing their last fact meanwhile."""

    @abstractmethod
    def without_facts(self, subject_ids: Collection[int]) -> set[int]:
        """Which of these terms are no subject of any fact."""

    @abstractmethod
    def add_to_tally(self, triples: int, subjects: int, predicates: Counts) -> None:
        """Count facts and subjects in, and the same facts by predicate; what is less than 0, out."""

    @abstractmethod
    def keys_by_id(self, ids: Collection[int]) -> dict[int, Key]:
        """The subject, object and predicate of each fact, by the fact's id."""
