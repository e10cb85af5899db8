"""Columns that both databases keep compactly and exactly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from tests.support.database import in_orm
from triples.fields import UnixMilliseconds, from_milliseconds, to_milliseconds
from triples.models import Source, Term, Triple

MOMENT = datetime(2024, 1, 15, 10, 30, 0, 123_000, tzinfo=UTC)


@given(st.integers(0, to_milliseconds(datetime(9999, 12, 31, tzinfo=UTC))))
def test_milliseconds_survive_as_a_moment(milliseconds: int) -> None:
    assert to_milliseconds(from_milliseconds(milliseconds)) == milliseconds


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds are naive
def test_a_moment_is_cut_to_its_millisecond(moment: datetime) -> None:
    cut = from_milliseconds(to_milliseconds(moment))
    assert timedelta(0) <= moment - cut < timedelta(milliseconds=1)


def test_a_moment_before_1970_is_taken_for_1970() -> None:
    assert to_milliseconds(datetime(1969, 12, 31, tzinfo=UTC)) == 0


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    there = datetime.fromisoformat("2024-01-15T12:30:00.123+02:00")
    assert to_milliseconds(there) == to_milliseconds(MOMENT)


def test_the_field_reads_numbers_and_passes_moments_on() -> None:
    field = UnixMilliseconds()
    assert field.to_python(to_milliseconds(MOMENT)) == MOMENT
    assert field.to_python(MOMENT) is MOMENT
    assert field.get_prep_value(None) is None
    assert field.from_db_value(None) is None


@pytest.mark.both
@pytest.mark.usefixtures("database")
class TestInTheDatabase:
    def test_a_moment_comes_back_to_the_millisecond(self) -> None:
        assert in_orm(lambda: Triple.objects.get(pk=_stored().pk).created_at) == MOMENT

    def test_moments_are_compared_as_moments(self) -> None:
        def find() -> list[int]:
            row = _stored()
            later = Triple.objects.filter(created_at__gt=MOMENT - timedelta(milliseconds=1))
            assert not Triple.objects.filter(created_at__gt=MOMENT).exists()
            return [row.pk - found.pk for found in later]

        assert in_orm(find) == [0]

    @pytest.mark.parametrize(
        "metadata",
        [
            None,
            {"source": "wikipedia", "confidence": 0.98},
            {"z": 1, "a": 2, "nested": {"list": [1, None, True, "\u0000"]}},
            {"weight": 1.0},
        ],
    )
    def test_metadata_comes_back_as_it_was(self, metadata: Any) -> None:
        assert in_orm(lambda: Triple.objects.get(pk=_stored(metadata).pk).metadata) == metadata

    def test_the_text_of_metadata_is_kept(self) -> None:
        def read() -> str:
            row = _stored({"z": 1.0, "a": 1})
            with connection.cursor() as cursor:
                text = "metadata::text" if connection.vendor == "postgresql" else "metadata"
                cursor.execute(f"SELECT {text} FROM triples_triple WHERE id = %s", [row.pk])
                return str(cursor.fetchone()[0])

        assert in_orm(read) == '{"z": 1.0, "a": 1}'

    def test_terms_are_told_apart_and_sorted_by_their_code_points(self) -> None:
        texts = ["B", "a", "Ä", "Z", "ab", "A b", "é", "e", "É", "a ", "日"]

        def read() -> list[str]:
            Term.objects.bulk_create(Term(text=text) for text in texts)
            return list(Term.objects.order_by("text").values_list("text", flat=True))

        assert in_orm(read) == sorted(texts)


def _stored(metadata: Any = None) -> Triple:
    term = Term.objects.create(text="x")
    return Triple.objects.create(
        subject=term,
        predicate=term,
        object=term,
        weight=0.5,
        metadata=metadata,
        source=Source.API,
        created_at=MOMENT,  # type: ignore[misc]  # to the stubs it is a number, as the column is
    )
