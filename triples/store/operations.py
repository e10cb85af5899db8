"""The operations of the store and their outcomes, as plain values without a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import ClassVar, Literal, NamedTuple

from triples.models import Source

Pattern = tuple[str | None, str | None, str | None]


class Fact(NamedTuple):
    """A fact to be stored. Its texts are clean terms; `metadata` is JSON text, or None if empty."""

    subject: str
    predicate: str
    object: str
    weight: float
    metadata: str | None
    source: Source


class Row(NamedTuple):
    """A stored fact. Times are in milliseconds since 1970."""

    id: int
    created_ms: int
    updated_ms: int | None
    source: int
    weight: float
    metadata: str | None
    subject: str
    predicate: str
    object: str

    @property
    def version(self) -> str:
        """A digest that changes with the row; the entity tag of a conditional request."""
        state = f"{self.id} {self.weight!r} {self.updated_ms} {self.metadata}"
        return blake2b(state.encode(), digest_size=9).hexdigest()


class Keep(Enum):
    """Leaves the column as it is; None would empty it."""

    KEEP = 0


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True)
class AddOne:
    """Store a fact. An existing fact stays as it is or, with `replace`, gets the new weight and metadata."""

    fact: Fact
    replace: bool = False
    ids: ClassVar[Sequence[int]] = ()

    @property
    def facts(self) -> Sequence[Fact]:
        return (self.fact,)


@dataclass(frozen=True, slots=True)
class AddMany:
    """Store all facts or none. A duplicate is skipped or, without `skip_duplicates`, raises `DuplicateFacts`."""

    facts: Sequence[Fact]
    skip_duplicates: bool = True
    ids: ClassVar[Sequence[int]] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Set a fact's weight or metadata, if its version is still one of `versions` (None: any)."""

    id: int
    created_ms: int
    weight: float | Keep = KEEP
    metadata: str | Keep | None = KEEP
    versions: frozenset[str] | None = None
    facts: ClassVar[Sequence[Fact]] = ()

    @property
    def ids(self) -> Sequence[int]:
        return (self.id,)


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a fact, if its version is still one of `versions` (None: any)."""

    id: int
    created_ms: int
    versions: frozenset[str] | None = None
    facts: ClassVar[Sequence[Fact]] = ()

    @property
    def ids(self) -> Sequence[int]:
        return (self.id,)


@dataclass(frozen=True, slots=True)
class RemoveMany:
    """Delete the facts with these ids that still exist and have a weight from `least` to `greatest`."""

    ids: Sequence[int]
    least: float = 0.0
    greatest: float = 1.0
    facts: ClassVar[Sequence[Fact]] = ()


# Each has the `facts` that it adds and the `ids` of the facts that it changes or removes.
Operation = AddOne | AddMany | Change | Remove | RemoveMany


class Stored(NamedTuple):
    """The outcome of `AddOne`."""

    status: Literal["inserted", "exists", "updated"]
    row: Row


class ManyStored(NamedTuple):
    """The outcome of `AddMany`: the number of new facts, and the indexes of those that existed already."""

    inserted: int
    duplicates: list[int]


class ManyRemoved(NamedTuple):
    """The outcome of `RemoveMany`: the number of deleted facts."""

    removed: int


class StoreError(Exception):
    """The graph's state does not allow the request, which has changed nothing."""


class NoSuchFact(StoreError):
    pass


class VersionMismatch(StoreError):
    """The fact no longer has a version that the client named."""


class DuplicateFacts(StoreError):
    """Facts of an all-or-nothing batch exist already. `places` are their indexes in the batch."""

    def __init__(self, places: list[int]) -> None:
        super().__init__(places)
        self.places = places


class ReadTimeout(StoreError):
    """A read exceeded its time limit."""


Outcome = Stored | ManyStored | ManyRemoved | Row | StoreError
