"""Derived facts as a run would write them, without a run."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tests.triples.recursion.tables import proofs_in
from tests.triples.store.inferred.derived import replace_all
from triples.models import RecursionRun
from triples.patterns import Variable
from triples.recursion.programs import BoundRule, Key, Program, Proof
from triples.store.backend import Holder, backend
from triples.store.inferred.state import State
from triples.store.postgresql.connections import connect

X, Y, Z = Variable("x"), Variable("y"), Variable("z")
# Transitive in predicate 2, and symmetric from 1 to 3 with a variable that the head does not hold.
PROGRAM = Program(
    (
        BoundRule(0, "along", 0.9, (X, 2, Z), ((X, 2, Y), (Y, 2, Z)), ((X, Z),), (Y,)),
        BoundRule(1, "back", 1.0, (Y, 3, X), ((X, 1, Y), (X, Z, 7)), (), (Z,)),
    )
)


def a_state(generation: int = 1, **given: Any) -> State:
    values: dict[str, Any] = {
        "generation": generation,
        "triples_up_to": 0,
        "changes_up_to": 0,
        "facts": 0,
        "complete_above": None,
        "parameters": "{}",
        "program": PROGRAM,
        "written_ms": 1_700_000_000_000,
    }
    return State(**values | given)


@contextmanager
def lease_holder() -> Iterator[Holder]:
    if connection.vendor != "postgresql":
        yield None
        return
    with connect() as holder:
        yield holder


def write_anew(proofs: Mapping[Key, Proof], state: State | None = None) -> None:
    with lease_holder() as holder:
        replace_all(proofs, state or a_state(facts=len(proofs)), holder)


def write_difference(removed: Collection[Key], put: Mapping[Key, Proof], state: State) -> None:
    with lease_holder() as holder:
        backend().inferred.apply(removed, put, state, holder)


def written() -> dict[Key, Proof]:
    return proofs_in(backend().inferred.contents())


def note_a_run() -> None:
    """From here on writers keep the journal."""
    RecursionRun.objects.create(requested_by="tests", active=None, created_at=0)
