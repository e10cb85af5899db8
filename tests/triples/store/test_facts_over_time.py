"""The number of facts over time, against counting them one by one."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.support.facts import store
from triples.fields import to_milliseconds
from triples.models import Triple
from triples.query.fact_lists import fetch
from triples.store.facts_over_time import Growth
from triples.store.group_commit import write_now
from triples.store.operations import Remove

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

FACTS = 120
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def facts() -> list[Triple]:
    """Facts of a hundred hours, many of them of the same moment."""
    stored = store(*((f"s{number}", "p", "o") for number in range(FACTS)))
    hours = sorted(Random(7).choice([*range(100), 50, 50, 50]) for _ in stored)
    for triple, hour in zip(stored, hours, strict=True):
        triple.created_at = NOW - timedelta(hours=100 - hour)
        triple.save(update_fields=["created_at"])
    return stored


MOMENTS = [NOW + timedelta(hours=hour) for hour in range(-101, 2, 3)]


def test_each_moment_has_the_facts_that_were_there(facts: list[Triple]) -> None:
    growth = Growth(fetch)
    assert growth.since == facts[0].created_at
    expected = [sum(triple.created_at < moment for triple in facts) for moment in MOMENTS]
    assert growth.counts(MOMENTS) == expected
    assert (expected[0], expected[-1]) == (0, FACTS)


def test_what_is_gone_leaves_the_shape_and_the_sum(facts: list[Triple]) -> None:
    write_now([Remove(triple.id, to_milliseconds(triple.created_at)) for triple in facts[1:-1:3]])
    left = list(Triple.objects.order_by("id"))
    counts = Growth(fetch).counts(MOMENTS)
    assert counts == sorted(counts)
    assert counts[-1] == len(left)
    for moment, count in zip(MOMENTS, counts, strict=True):
        assert count == pytest.approx(sum(triple.created_at < moment for triple in left), abs=3)


def test_it_looks_up_and_never_scans(facts: list[Triple]) -> None:
    asked: list[str] = []

    def counted(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return fetch(sql, parameters)

    Growth(counted).counts(MOMENTS)
    # The ends, the sum, and halving the ids.
    assert len(asked) <= 2 + FACTS.bit_length()
    ends, look_up = plan(asked[0], []), plan(asked[-1], ["[[7]]"])
    assert "SCAN triples_triple" not in ends
    assert "USING INTEGER PRIMARY KEY (rowid>?)" in look_up or "Index Scan using triples_triple_pkey" in look_up


def plan(sql: str, parameters: Sequence[Any]) -> str:
    with connection.cursor() as cursor:
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        cursor.execute(f"{explain} {sql}", parameters)
        return " ".join(str(row) for row in cursor.fetchall())


def test_without_facts_there_is_no_beginning() -> None:
    growth = Growth(fetch)
    assert growth.since is None
    assert growth.counts([NOW]) == [0]
