"""The literals of arrays, as the server reads them."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from triples.store.postgresql.arrays import numbers, texts

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


@pytest.fixture(autouse=True)
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is sent JSON")


def _read(literal: str, of: str) -> list[object]:
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
