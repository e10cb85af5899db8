"""What a graph is, in the simplest words: a dictionary, and operations one after another."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any, NamedTuple

from django.db import DatabaseError

from tests.triples.store.graphs import Key
from triples.store.operations import (
    KEEP,
    AddMany,
    AddOne,
    Change,
    DuplicateFacts,
    Fact,
    ManyRemoved,
    ManyStored,
    Operation,
    Remove,
    RemoveMany,
    Row,
    Stored,
    StoreError,
)

# The id of a row that the group itself made; nobody can have named it.
FRESH = -1


class Known(NamedTuple):
    """A fact as the oracle knows it."""

    weight: float
    metadata: str | None
    updated: bool
    id: int = FRESH
    created_ms: int = 0
    version: str = ""


State = dict[Key, Known]


def known(rows: Mapping[Key, Row]) -> State:
    return {
        key: Known(row.weight, row.metadata, row.updated_ms is not None, row.id, row.created_ms, row.version)
        for key, row in rows.items()
    }


def visible(state: State) -> dict[Key, tuple[Any, ...]]:
    """What can be compared of a state: all but ids and times."""
    return {key: value[:3] for key, value in state.items()}


def is_explained(
    before: State, operations: list[Operation], outcomes: list[Any], after: dict[Key, tuple[Any, ...]]
) -> bool:
    """True if some order of the operations, one after another, gives these outcomes and this state."""
    seen = [described(outcome) for outcome in outcomes]
    for order in permutations(range(len(operations))):
        state = dict(before)
        expected = {place: apply(state, operations[place]) for place in order}
        if [expected[place] for place in range(len(operations))] == seen and visible(state) == after:
            return True
    return False


def described(outcome: Any) -> tuple[Any, ...]:
    """An outcome without ids and times."""
    match outcome:
        case Stored(status, row):
            return (status, *_row(row))
        case Row():
            return ("row", *_row(outcome))
        case ManyStored(inserted, duplicates):
            return ("many", inserted, tuple(duplicates))
        case ManyRemoved(removed):
            return ("removed", removed)
        case DuplicateFacts():
            return ("duplicates", tuple(outcome.places))
        case StoreError() | DatabaseError():
            return (type(outcome).__name__ if isinstance(outcome, StoreError) else "failed",)
        case _:
            raise AssertionError(outcome)


def _row(row: Row) -> tuple[Any, ...]:
    return ((row.subject, row.predicate, row.object), row.weight, row.metadata, row.updated_ms is not None)


def apply(state: State, operation: Operation) -> tuple[Any, ...]:
    """Change the state; the outcome as `described` would say it."""
    match operation:
        case AddOne(fact, replace):
            return _add_one(state, fact, replace=replace)
        case AddMany(facts, skip):
            return _add_many(state, list(facts), skip=skip)
        case Change():
            return _change(state, operation)
        case Remove():
            return _remove(state, operation)
        case RemoveMany():
            return _remove_many(state, operation)


def _add_one(state: State, fact: Fact, *, replace: bool) -> tuple[Any, ...]:
    key = fact[:3]
    if fact.weight > 1:
        return ("failed",)
    if key not in state:
        state[key] = Known(fact.weight, fact.metadata, False)
        return ("inserted", key, *state[key][:3])
    if not replace:
        return ("exists", key, *state[key][:3])
    state[key] = state[key]._replace(weight=fact.weight, metadata=fact.metadata, updated=True, version="")
    return ("updated", key, *state[key][:3])


def _add_many(state: State, facts: list[Fact], *, skip: bool) -> tuple[Any, ...]:
    there = set(state)
    duplicates: list[int] = []
    for place, fact in enumerate(facts):
        if fact[:3] in there:
            duplicates.append(place)
        there.add(fact[:3])
    if duplicates and not skip:
        return ("duplicates", tuple(duplicates))
    for fact in facts:
        state.setdefault(fact[:3], Known(fact.weight, fact.metadata, False))
    return ("many", len(facts) - len(duplicates), tuple(duplicates))


def _change(state: State, operation: Change) -> tuple[Any, ...]:
    key = _named(state, operation)
    if not isinstance(key, tuple):
        return (key,)
    row = state[key]
    weight = row.weight if operation.weight is KEEP else operation.weight
    metadata = row.metadata if operation.metadata is KEEP else operation.metadata
    state[key] = row._replace(weight=weight, metadata=metadata, updated=True, version="")
    return ("row", key, *state[key][:3])


def _remove(state: State, operation: Remove) -> tuple[Any, ...]:
    key = _named(state, operation)
    if not isinstance(key, tuple):
        return (key,)
    return ("row", key, *state.pop(key)[:3])


def _remove_many(state: State, operation: RemoveMany) -> tuple[Any, ...]:
    gone = [
        key
        for key, row in state.items()
        if row.id in operation.ids and operation.least <= row.weight <= operation.greatest
    ]
    for key in gone:
        del state[key]
    return ("removed", len(gone))


def _named(state: State, operation: Change | Remove) -> Key | str:
    for key, row in state.items():
        if (row.id, row.created_ms) == (operation.id, operation.created_ms):
            if operation.versions is None or row.version in operation.versions:
                return key
            return "VersionMismatch"
    return "NoSuchFact"
