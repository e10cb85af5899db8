"""What can be asked of the store and what it answers: plain values, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Literal, NamedTuple

from triples.models import Source

Pattern = tuple[str | None, str | None, str | None]


class Fact(NamedTuple):
    """A fact to be stored. Its texts are clean terms; `metadata` is JSON text, None when empty."""

    subject: str
    predicate: str
    object: str
    weight: float
    metadata: str | None
    source: Source


class Row(NamedTuple):
    """A stored fact; moments are milliseconds since 1970."""

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
        """Changes whenever the row does; the entity tag of a conditional request."""
        state = f"{self.id} {self.weight!r} {self.updated_ms} {self.metadata}"
        return blake2b(state.encode(), digest_size=9).hexdigest()


class Keep(Enum):
    """Leave the column as it is (None would empty it)."""

    KEEP = 0


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True)
class AddOne:
    """Store a fact; where it stands already, leave it or give it the new weight and metadata."""

    fact: Fact
    replace: bool = False


@dataclass(frozen=True, slots=True)
class AddMany:
    """Store facts, all or none: a duplicate is left as it is, or fails the whole with `DuplicateFacts`."""

    facts: Sequence[Fact]
    skip_duplicates: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """Set a fact's weight or metadata, if its version is still one of `versions` (None: any)."""

    id: int
    created_ms: int
    weight: float | Keep = KEEP
    metadata: str | Keep | None = KEEP
    versions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a fact, if its version is still one of `versions` (None: any)."""

    id: int
    created_ms: int
    versions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RemoveMany:
    """Delete those of these facts that still stand, with a weight from `least` to `greatest`."""

    ids: Sequence[int]
    least: float = 0.0
    greatest: float = 1.0


Operation = AddOne | AddMany | Change | Remove | RemoveMany


class Stored(NamedTuple):
    """What became of `AddOne`."""

    status: Literal["inserted", "exists", "updated"]
    row: Row


class ManyStored(NamedTuple):
    """What became of `AddMany`: how many are new, and the places of those that stood there already."""

    inserted: int
    duplicates: list[int]


class ManyRemoved(NamedTuple):
    """What became of `RemoveMany`: how many facts were deleted."""

    removed: int


class StoreError(Exception):
    """A request that the graph's state does not allow; nothing was changed by it."""


class NoSuchFact(StoreError):
    pass


class VersionMismatch(StoreError):
    """The fact has changed since the version that the client named."""


class DuplicateFacts(StoreError):
    """Facts of an all-or-nothing batch are already there; `places` are their indexes in it."""

    def __init__(self, places: list[int]) -> None:
        super().__init__(places)
        self.places = places


class ReadTimeout(StoreError):
    """A read took longer than it may."""


Outcome = Stored | ManyStored | ManyRemoved | Row | StoreError
