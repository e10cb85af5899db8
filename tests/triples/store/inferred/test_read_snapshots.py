"""Reads over asserted and inferred facts together, beside a plain merge of two lists."""

import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm, in_orm_thread
from tests.support.properties import examples
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derived import TRANSITIVE, key, program, put, run, stored
from tests.triples.store.inferred.reads import EVERYTHING, in_order, matching, reading, texts
from triples.models import PredicateTally, Tally, Term, Triple
from triples.query import reads
from triples.query.explanations import explain
from triples.query.fact_rows import AnyRow, InferredRow
from triples.query.reads import Wanted
from triples.recursion.programs import Key, Proof
from triples.store.backend import backend
from triples.store.operations import AddOne, Remove, Row
from triples.store.sqlite import inferred_files as files
from triples.store.statistics import statistics

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

TEXTS = ["a", "b", "c"]
# One of them is also a subject and an object.
PREDICATES = ["p", "a"]
WEIGHTS = [0.0, 0.25, 0.5, 1.0]

possible = list(itertools.product(TEXTS, PREDICATES, TEXTS))
Weighted = dict[tuple[str, str, str], float]
weighted = st.dictionaries(st.sampled_from(possible), st.sampled_from(WEIGHTS))
wanted_facts = st.builds(
    Wanted,
    st.tuples(
        st.sampled_from([None, *TEXTS, "nowhere"]),
        st.sampled_from([None, *PREDICATES]),
        st.sampled_from([None, *TEXTS]),
    ),
    st.sampled_from([0.0, 0.25, 0.3, 1.0]),
    st.booleans(),
    st.booleans(),
).flatmap(
    lambda wanted: st.builds(
        lambda equal: wanted._replace(equal=tuple(equal)),
        st.lists(
            st.sampled_from([(0, 1), (0, 2), (1, 2)]).filter(
                lambda pair: [wanted.pattern[column] for column in pair] == [None, None]
            ),
            max_size=2,
        )
        if wanted.pattern.count(None) > 1
        else st.just([]),
    )
)


@pytest.fixture
def chain() -> list[Row]:
    """a p b p c p d with falling weights, and what follows."""

    def make() -> list[Row]:
        store(fact("a", "p", "b", 1.0), fact("b", "p", "c", 0.5), fact("c", "p", "d", 0.5))
        run(program(TRANSITIVE))
        return list(stored_rows().values())

    return in_orm(make)


def everything() -> list[AnyRow]:
    """All facts of both kinds, without those inferred ones that are asserted too."""
    asserted = stored_rows()
    state = backend().read_state()
    rows: list[AnyRow] = list(asserted.values())
    for found, proof in stored().items():
        if texts(found) not in asserted:
            assert state is not None
            rule = state.program.rules[proof.rule].name
            rows.append(InferredRow(found, state.written_ms, proof.weight, proof.depth, rule, *texts(found)))
    return in_order(rows)


# Facts of the predicates that these derive are merged; of any predicate, where a rule has a variable for it. What they
# start from is never asserted: a fact that is asserted with weight 0 would hide what rests on it.
CLOSED = [{"name": f"to {name}", "head": ["?x", name, "?y"], "body": [["?x", "r", "?y"]]} for name in PREDICATES]
OPEN = [{"name": "of any", "head": ["?x", "?p", "?y"], "body": [["?x", "r", "?p"], ["?p", "r", "?y"]]}]


def make(asserted: Weighted, inferred: Weighted, rules: Sequence[dict[str, Any]]) -> None:
    """A graph with these facts; inferred ones need not follow from anything to be read."""
    for model in (Triple, Tally, PredicateTally):
        model.objects.all().delete()
    for text in (*TEXTS, *PREDICATES):
        Term.objects.get_or_create(text=text)
    put({key(*texts_): Proof(weight, 1, 0, ()) for texts_, weight in inferred.items()}, program(*rules))
    if asserted:
        store(*(fact(*texts_, weight) for texts_, weight in asserted.items()))


@given(
    weighted,
    weighted,
    st.sampled_from([CLOSED, OPEN]),
    st.lists(wanted_facts, min_size=1, max_size=6),
    st.integers(1, 5),
    st.data(),
)
@settings(max_examples=examples(0.4))
@in_orm_thread
def test_answers_are_those_of_a_plain_merge(
    asserted: Weighted,
    inferred: Weighted,
    rules: list[dict[str, Any]],
    asked: list[Wanted],
    k: int,
    data: st.DataObject,
) -> None:
    make(asserted, inferred, rules)
    rows = everything()
    with reading() as reader:
        for wanted in asked:
            expected = matching(rows, wanted)
            assert reader.heaviest(wanted, k) == (expected[:k], len(expected), False)
            assert list(itertools.chain.from_iterable(reader.pages(wanted, k))) == expected
            assert reader.total(wanted) == len(expected)


@in_orm_thread
def test_every_shape_is_answered_with_either_kind(chain: list[Row]) -> None:
    rows = everything()
    assert len(rows) == 6
    with reading() as reader:
        for pattern in itertools.product([None, "a", "b"], [None, "p"], [None, "c", "d"]):
            for asserted, inferred in itertools.product([True, False], repeat=2):
                wanted = Wanted(pattern, asserted=asserted, inferred=inferred)
                assert reader.heaviest(wanted).rows == matching(rows, wanted)
                assert reader.total(wanted) == len(matching(rows, wanted))


def test_an_inferred_fact_says_how_it_was_derived(chain: list[Row]) -> None:
    def read() -> tuple[InferredRow | None, int]:
        state = backend().read_state()
        assert state is not None
        with reading() as reader:
            return reader.one(key("a", "p", "d")), state.written_ms

    row, written_ms = in_orm(read)
    assert row is not None
    assert row[1:] == (written_ms, 0.25, 2, "transitive", "a", "p", "d")


@in_orm_thread
def test_an_inferred_fact_that_is_asserted_is_shown_as_asserted_alone(chain: list[Row]) -> None:
    with reading() as reader:
        assert key("a", "p", "d") in reader.inferred()
        store(fact("a", "p", "d", 0.125))
        found = reader.heaviest(Wanted(("a", "p", "d")))
        assert [row.weight for row in found.rows] == [0.125]
        assert found.total == 1
        assert reader.heaviest(k=1).total == 6
        assert reader.one(key("a", "p", "d")) is None
        [row] = [row for row in stored_rows().values() if row.object == "d" and row.subject == "a"]
        committed([Remove(row.id, row.created_ms)])
        # Nothing that it rests on is gone.
        assert key("a", "p", "d") in reader.inferred()


def test_without_a_run_the_statements_are_those_of_asserted_facts() -> None:
    def read() -> list[str]:
        store(fact("a"))
        told: list[str] = []
        with reading() as reader:

            def fetch(sql: str, parameters: object) -> list[tuple[object, ...]]:
                told.append(sql)
                return reader.fetch(sql, parameters)  # type: ignore[arg-type]  # handed on as they are

            with reader.snapshots.taken(fetch) as shown:
                assert shown is None
                reads.heaviest(fetch, reader.dialect, shown, EVERYTHING, k=10, with_metadata=False)
        return told

    told = in_orm(read)
    assert len(told) == (1 if connection.vendor == "sqlite" else 2)
    assert not any("inferredtriple" in sql for sql in told)


def test_a_total_is_exact_up_to_the_limit_for_both_kinds_together(
    chain: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = (reads.count_asserted, reads.count_inferred)

    def totals() -> Iterator[tuple[int, bool]]:
        for limit in (2, 3, 5, 6, 7):
            monkeypatch.setattr(reads, "COUNT_LIMIT", limit)
            for statement in cached:
                statement.cache_clear()
            with reading() as reader:
                found = reader.heaviest(k=1)
            yield found.total, found.capped

    try:
        found = in_orm(lambda: list(totals()))
    finally:
        for statement in cached:
            statement.cache_clear()
    assert found == [(2, True), (3, True), (5, True), (6, False), (6, False)]


@in_orm_thread
def test_a_connection_sees_each_run_at_once(chain: list[Row]) -> None:
    rules = program(TRANSITIVE)
    with reading() as early, reading() as late:
        assert len(early.inferred()) == 3
        for small in (True, False, False, True):
            store(fact("d", "p", f"e{len(stored())}"))
            expected = set(run(rules, small=small))
            assert early.inferred() == late.inferred() == expected
        backend().inferred.discard()
        assert early.inferred() == set()
        run(rules)
        assert early.inferred() == late.inferred() == stored().keys()
        assert len(stored()) == 15


@in_orm_thread
def test_a_read_writes_nothing_and_makes_no_temporary_table(chain: list[Row]) -> None:
    """So that a replica may answer it."""
    forbid, allow, made = {
        "sqlite": ("PRAGMA query_only = on", "PRAGMA query_only = off", "SELECT count(*) FROM sqlite_temp_master"),
        "postgresql": (
            "SET default_transaction_read_only = on",
            "RESET default_transaction_read_only",
            "SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()",
        ),
    }[connection.vendor]

    store(fact("d", "p", "e"))
    committed([Remove(chain[0].id, chain[0].created_ms)])
    with reading() as reader, ExitStack() as stack:
        reader.snapshots.driver.execute(forbid)
        # The connection goes back to a pool.
        stack.callback(reader.snapshots.driver.execute, allow)
        for pattern in itertools.product([None, "b"], [None, "p"], [None, "d"]):
            wanted = Wanted(pattern)
            assert reader.heaviest(wanted).total == len(list(itertools.chain(*reader.pages(wanted, 1)))) > 0
        shown = key("b", "p", "d")
        assert reader.one(shown) is not None
        with reader.snapshots.taken(reader.fetch) as facts:
            assert facts is not None
            assert facts.filter is not None
            assert facts.filter.hidden
            assert len(explain(reader.fetch, reader.dialect, facts, shown, depth=2).premises) == 2
            assert statistics(reader.fetch, facts).triples == 3
        assert reader.fetch(made, []) == [(0,)]


@in_orm_thread
def test_a_run_in_the_middle_of_a_read_does_not_show_in_it(chain: list[Row]) -> None:
    """What has begun goes on with what was there."""

    rules = program(TRANSITIVE)
    with reading() as reader:
        with reader.snapshots.taken(reader.fetch) as shown:
            before = reads.heaviest(reader.fetch, reader.dialect, shown, EVERYTHING, k=100, with_metadata=True)
            if connection.vendor == "sqlite":
                # On PostgreSQL the run waits for the reader.
                store(fact("d", "p", "e"))
                run(rules)
            again = reads.heaviest(reader.fetch, reader.dialect, shown, EVERYTHING, k=100, with_metadata=True)
            assert again == before
        if connection.vendor == "sqlite":
            assert reader.heaviest().total == 10


@pytest.mark.parametrize("place", ["before the link is read", "after it"])
def test_a_file_that_vanishes_while_it_is_looked_for_is_looked_for_again(
    chain: list[Row], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a file of SQLite's")
    looked = files.current_name
    runs = iter([True])

    def current_name() -> str | None:
        found = looked() if place == "after it" else None
        if next(runs, False):
            run(program(TRANSITIVE))
        return found or looked()

    def read() -> set[Key]:
        with reading() as reader:
            monkeypatch.setattr("triples.store.sqlite.read_snapshots.current_name", current_name)
            return reader.inferred()

    assert len(in_orm(read)) == 3


@in_orm_thread
def test_pages_stay_in_step_while_facts_are_written_and_runs_go_on() -> None:
    """A fact that nobody touches is on exactly one page, of whichever kind it is."""

    dice = random.Random(3)
    store(*(fact(f"s{number}", "p", f"t{number}", dice.choice([0.5, 1.0])) for number in range(12)))
    rules = program({"name": "inverse", "head": ["?y", "q", "?x"], "body": [["?x", "p", "?y"]]})
    kept = {texts(found) for found in run(rules)} | set(stored_rows())
    seen: list[tuple[str, str, str]] = []
    with reading() as reader:
        for number, page in enumerate(reader.pages(EVERYTHING, 4)):
            seen += [(row.subject, row.predicate, row.object) for row in page]
            committed([AddOne(fact(f"more {number}", "p", f"others {number}", 0.5))])
            run(rules, small=number % 2 == 0)
    assert sorted(found for found in seen if found in kept) == sorted(kept)
