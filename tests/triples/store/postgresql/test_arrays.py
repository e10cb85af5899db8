"""Arrays, as the server reads them."""

from array import array

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triples.store.postgresql.arrays import integers, numbers, texts

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


@pytest.fixture(autouse=True)
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is sent JSON")


def _read(literal: str | bytes, of: str) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{of}[]", [literal])
        [(found,)] = cursor.fetchall()
    return list(found)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | ANY_TEXT | st.sampled_from(["", "NULL", "{}", '"', "\\", '\\"', ",", " a "])))
def test_texts_are_read_as_they_are(given: list[str | None]) -> None:
    assert _read(texts(given), "text") == given


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.floats(allow_nan=False)))
def test_numbers_are_read_as_they_are(integers: list[int], floats: list[float]) -> None:
    assert _read(numbers(integers), "bigint") == integers
    assert _read(numbers(floats), "float8") == floats


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.integers(1, 5))
def test_a_column_of_one_value_is_read_as_it_is(integer: int, number: float, rows: int) -> None:
    assert _read(numbers([integer] * rows), "bigint") == [integer] * rows
    assert _read(numbers([number] * rows), "float8") == [number] * rows


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_integers_are_read_as_they_are(given: list[int]) -> None:
    assert _read(integers(array("i", given)), "integer") == given
