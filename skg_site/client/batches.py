"""Facts put into batches, within a number of facts and of bytes."""

from collections.abc import Mapping
from dataclasses import dataclass

from .answers import FieldError
from .calls import json_bytes
from .values import NewFact

_NAMES = ("subject", "predicate", "object", "weight", "metadata")
_REQUIRED = _NAMES[:3]
# What else the service says of a fact, so that facts of its answers can be added elsewhere as they are.
_OF_ANSWERS = {"id", "source", "created_at", "updated_at", "inferred", "depth", "rule", "status"}


@dataclass(frozen=True, slots=True)
class Item:
    """A fact with its place among those that were given; either its JSON, or why it has none."""

    index: int
    fact: NewFact
    json: bytes
    error: FieldError | None


class Batches:
    """Gathers facts until one more would not fit."""

    def __init__(self, size: int, most_bytes: int) -> None:
        if size < 1 or most_bytes < 1:
            raise ValueError("A batch holds at least one fact and one byte.")
        self._size = size
        self._most_bytes = most_bytes
        self._items: list[Item] = []
        self._bytes = 0
        self._count = 0
        self._full: list[Item] = []

    def take(self, fact: NewFact) -> bool:
        """Take a fact; True if `full` has a batch now, which must be fetched before the next one is taken."""
        item = _item(self._count, fact)
        self._count += 1
        if self._items and (len(self._items) >= self._size or self._bytes + len(item.json) + 1 > self._most_bytes):
            self._full, self._items, self._bytes = self._items, [], 0
        self._items.append(item)
        self._bytes += len(item.json) + 1
        return bool(self._full)

    def full(self) -> list[Item]:
        items, self._full = self._full, []
        return items

    def rest(self) -> list[Item]:
        items, self._items, self._bytes = self._items, [], 0
        return items

    def shrink(self, size: int) -> None:
        """Make smaller batches from here on."""
        self._size = max(1, min(self._size, size))


def _item(index: int, fact: NewFact) -> Item:
    try:
        return Item(index, fact, json_bytes(_members(fact)), None)
    except (TypeError, ValueError) as error:
        return Item(index, fact, b"", {"loc": [], "msg": str(error), "type": "no_json"})


def _members(fact: NewFact) -> dict[str, object]:
    """The members that are sent. Unknown ones are among them: the service says that it does not know them."""
    if isinstance(fact, Mapping):
        members = {name: value for name, value in fact.items() if name not in _OF_ANSWERS}
    elif isinstance(fact, str) or not 3 <= len(fact) <= len(_NAMES):
        raise ValueError("must be a mapping, or subject, predicate, object, and perhaps weight and metadata")
    else:
        members = dict(zip(_NAMES, fact, strict=False))
    return {name: value for name, value in members.items() if value is not None or name in _REQUIRED}
