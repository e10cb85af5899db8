"""Facts as a stream: which, in which order, and as of which moment."""

import re

import pytest
from django.db import connection

from tests.support.database import in_orm
from tests.triples.store.graphs import fact, store, stored_rows, tallied
from triples.query import export
from triples.query.export import StreamedFact, stream
from triples.store.bulk import Loader
from triples.store.operations import Pattern

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

ANY: Pattern = (None, None, None)


def streamed(pattern: Pattern = ANY, min_weight: float = 0.0) -> list[StreamedFact]:
    with stream(pattern, min_weight) as facts:
        return [one for batch in facts.batches for one in batch]


@pytest.fixture
def _graph() -> None:
    store(fact("a", "p", "x", 0.2), fact("a", "q", "x", 0.9, '{"n": 1.0}'))
    store(fact("b", "p", "x", 0.7), fact("b", "p", "y", 0.7), fact("a", "p", "y", 0.0))


@pytest.mark.usefixtures("_graph")
@pytest.mark.parametrize(
    ("pattern", "min_weight", "expected"),
    [
        (ANY, 0.0, ["apx", "aqx", "apy", "bpx", "bpy"]),
        (ANY, 0.7, ["aqx", "bpx", "bpy"]),
        (("a", None, None), 0.0, ["aqx", "apx", "apy"]),
        ((None, "p", None), 0.1, ["bpx", "bpy", "apx"]),
        ((None, None, "x"), 0.0, ["aqx", "bpx", "apx"]),
        (("a", "p", None), 0.0, ["apx", "apy"]),
        (("a", None, "x"), 0.0, ["aqx", "apx"]),
        ((None, "p", "y"), 0.0, ["bpy", "apy"]),
        (("b", "p", "y"), 0.0, ["bpy"]),
        (("b", "p", "y"), 0.8, []),
        (("unknown", None, None), 0.0, []),
    ],
)
def test_what_matches_is_streamed(pattern: Pattern, min_weight: float, expected: list[str]) -> None:
    found = ["".join(one[:3]) for one in streamed(pattern, min_weight)]
    assert sorted(found) == sorted(expected)
    if pattern != ANY:
        weights = [one.weight for one in streamed(pattern, min_weight)]
        assert weights == sorted(weights, reverse=True)


@pytest.mark.usefixtures("_graph")
def test_weight_and_metadata_are_as_they_were_stored() -> None:
    assert streamed(("a", "q", None)) == [StreamedFact("a", "q", "x", 0.9, '{"n": 1.0}')]


@pytest.mark.usefixtures("_graph")
def test_all_facts_come_by_id() -> None:
    assert [one[:3] for one in streamed()] == [
        key for key, _ in sorted(stored_rows().items(), key=lambda row: row[1].id)
    ]


@pytest.mark.usefixtures("_graph")
def test_the_total_is_known_where_the_tallies_have_it() -> None:
    with stream(ANY, 0.0) as facts:
        assert facts.total == tallied()[0] == 5
    with stream(ANY, 0.1) as facts:
        assert facts.total is None
    with stream(("a", None, None), 0.0) as facts:
        assert facts.total is None


def test_writers_go_on_and_the_stream_does_not_see_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 2)
    store(*(fact(f"s{number}") for number in range(9)))
    with stream(ANY, 0.0) as facts:
        found = list(next(facts.batches))
        in_orm(Loader(replace=True).load, [*(fact(f"s{number}", weight=0.5) for number in range(9)), fact("new")])
        for batch in facts.batches:
            found += batch
    assert [(one.subject, one.weight) for one in found] == [(f"s{number}", 1.0) for number in range(9)]
    assert {one.weight for one in streamed((None, None, "o"), 0.0) if one.subject != "new"} == {0.5}


def test_a_stream_that_is_not_read_to_its_end_leaves_no_transaction() -> None:
    store(*(fact(f"s{number}") for number in range(9)))
    with stream(ANY, 0.0):
        pass
    with pytest.raises(ZeroDivisionError), stream(ANY, 0.0):
        raise ZeroDivisionError
    store(fact("another"))
    assert len(streamed()) == 10


@pytest.mark.parametrize("constants", range(1, 8))
def test_no_narrower_pattern_scans_or_sorts_the_graph(constants: int) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by what the tables hold, and these hold nothing")
    subject, predicate, object_ = ("x" if constants & bit else None for bit in (1, 2, 4))
    pattern: Pattern = (subject, predicate, object_)
    with connection.cursor() as cursor:
        parameters = ["x"] * sum(text is not None for text in pattern) + [0.0]
        statement = export._statement(pattern).replace("?", "%s")
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = "\n".join(row[3] for row in cursor.fetchall())
    assert not re.search(r"\bSCAN f\b", plan)
    assert "SEARCH f" in plan
    # One subject and one object share few facts, and no index has those by weight.
    assert ("TEMP B-TREE" in plan) == (pattern == ("x", None, "x"))
