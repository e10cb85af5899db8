"""The state comes back as it was written, rules and all."""

import dataclasses

import pytest
from hypothesis import given

from tests.triples.recursion.strategies import programs
from tests.triples.store.inferred.derivations import PROGRAM, a_state, write_anew, write_difference
from triples.recursion.programs import Program
from triples.store.backend import backend
from triples.store.inferred.state import COLUMNS, State, state_of, state_row

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def test_there_is_none_before_the_first_run() -> None:
    assert backend().read_state() is None


@pytest.mark.parametrize("complete_above", [None, 0.1 + 0.2, 5e-324])
def test_it_comes_back_as_it_was_written(complete_above: float | None) -> None:
    written = a_state(
        2**60, triples_up_to=2**61, changes_up_to=7, facts=3, complete_above=complete_above, parameters='{"é": 1}'
    )
    write_anew({}, written)
    assert backend().read_state() == written


def test_each_write_replaces_it() -> None:
    write_anew({}, a_state(1))
    write_difference([], {}, a_state(2, program=Program(())))
    assert backend().read_state() == a_state(2, program=Program(()))
    write_anew({}, a_state(3, program=PROGRAM))
    assert backend().read_state() == a_state(3)


@pytest.mark.once
@pytest.mark.usefixtures("database")
@given(program=programs())
def test_every_program_comes_back_as_it_was_written(program: Program) -> None:
    state = a_state(program=program)
    assert state_of([state_row(state)]) == state


def test_no_column_is_forgotten() -> None:
    assert tuple(field.name for field in dataclasses.fields(State)) == COLUMNS
