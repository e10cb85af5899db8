"""How the databases run the statements over inferred facts: by indexes, and no further than is wanted."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.support.database import empty_tables, in_orm, in_orm_thread
from tests.triples.store.inferred.derived import TRANSITIVE, program, put
from tests.triples.store.inferred.reads import Reading, reading
from tests.triples.store.test_plans import BOUNDS, SORTED, _fill
from triples.models import Term
from triples.patterns import Shape, Variable
from triples.query.facts_by_key import asserted_by_keys, inferred_by_key, inferred_by_keys
from triples.query.join_statements import join_statement, numbers_statement
from triples.query.lookups import Lookup, OfTerms, Slots, lookup_of
from triples.query.reads import count_inferred, select_both, select_inferred
from triples.recursion.programs import Key, Proof
from triples.store.fact_tables import INDEXES, TABLES, InferredFilter, index_name
from triples.store.inferred.layout import FACTS
from triples.store.join_sql import linked
from triples.store.select import Start

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("graph")]

# A program with it may derive facts of any predicate, so that the indexes for these are there too.
OPEN = {"name": "turned round", "head": ["?y", "?p", "?x"], "body": [["?x", "?p", "?y"], ["?p", "p", "?p"]]}
STARTS: list[Start] = ["top", "lighter"]
INFERRED_BOUNDS: dict[Start, list[Any]] = {
    "top": [0.5],
    "lighter": [0.5, 0.1],
    "whole weight": [0.5],
    "same weight": [0.5, 10, 10, 10],
}
# With all that a statement may have to look for.
FILTER = InferredFilter(asserted=True, hidden=True)
# The patterns for whose inferred facts those of each predicate may be merged.
MERGED: list[Shape] = [(False, False, False), (False, False, True)]
Statement = tuple[Shape, str, list[Any]]


@pytest.fixture(scope="module")
def graph(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One for all tests of this module, since it takes seconds to make."""

    def fill() -> None:
        _fill()
        first = min(Term.objects.values_list("id", flat=True))
        derived = {
            Key(first + i % 4999, first + i % 20, first + i % 4783): Proof(
                (i % 1000 + 1) / 1001, 1, 0, (first + i % 97,)
            )
            for i in range(30_000)
        }
        put(derived, program(TRANSITIVE, OPEN))

    with django_db_blocker.unblock():
        in_orm(fill)
        yield
        in_orm(empty_tables)


def constants(shape: Shape) -> list[str]:
    return [text for text, fixed in zip(("t7", "t3", "t9"), shape, strict=True) if fixed]


def row_statements(reader: Reading) -> Iterator[Statement]:
    for shape in INDEXES["inferred"]:
        for start, with_metadata in itertools.product(STARTS, (False, True)):
            kind = [*constants(shape), *BOUNDS[start], 10]
            sql = select_both(shape, start, reader.dialect, FILTER, with_metadata=with_metadata)
            yield shape, sql, [*kind, *kind, 10]
        for place, bounds in INFERRED_BOUNDS.items():
            yield shape, select_inferred(shape, place, reader.dialect, FILTER), [*constants(shape), *bounds, 10]


def other_statements(reader: Reading) -> Iterator[tuple[str, list[Any]]]:
    for shape in INDEXES["inferred"]:
        yield count_inferred(shape, reader.dialect, FILTER), [*constants(shape), 0.9]
    yield inferred_by_key(reader.dialect, FILTER), [7, 8, 9]
    yield asserted_by_keys(reader.dialect), ["[[7, 8, 9]]"]
    yield inferred_by_keys(reader.dialect), ["[[7, 8, 9]]"]
    for lookup in (Lookup((None, None, None), ((0, 0),), (2,), ()), Lookup((None, 3, None), ((2, 0),), (0,), ())):
        yield numbers_statement([lookup], [(7,), (8,)], 0.5, 10, reader.dialect, FILTER)
    times = 2 if reader.dialect.names_indexes else 1
    for kind in TABLES:
        yield linked(kind, reader.dialect, FILTER, predicate=False), [*["[[7], [8]]", "[[9], [10]]", 0.5] * times, 10]


def sqlite_steps(reader: Reading, sql: str, parameters: list[Any]) -> list[str]:
    with reader.snapshots.taken(reader.fetch):
        return [line[3] for line in reader.fetch(f"EXPLAIN QUERY PLAN {sql}", parameters)]


def postgresql_nodes(reader: Reading, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    with reader.snapshots.taken(reader.fetch):
        [(plans,)] = reader.fetch(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
    found: list[dict[str, Any]] = []
    pending = [plans[0]["Plan"]]
    while pending:
        node = pending.pop()
        found.append(node)
        pending += node.get("Plans", [])
    return found


def only_on(vendor: str) -> None:
    if connection.vendor != vendor:
        pytest.skip(f"a plan of {vendor}'s")


@in_orm_thread
def test_sqlite_picks_each_kind_by_its_index_in_its_order() -> None:
    only_on("sqlite")

    with reading() as reader:
        for shape, sql, parameters in row_statements(reader):
            steps = sqlite_steps(reader, sql, parameters)
            [inferred] = [step for step in steps if step.split()[1] == "i" and step.startswith("SEARCH")]
            index = INDEXES["inferred"][shape]
            name = "PRIMARY KEY" if index.startswith("sqlite") else f"INDEX {index}"
            assert f"USING {name} (" in inferred, (shape, inferred)
            assert any(step.startswith("SEARCH a USING COVERING INDEX") for step in steps)
            # The merged few are sorted, and once more with their texts; a kind only where no index has its order.
            sorts = sum("TEMP B-TREE FOR ORDER BY" in step for step in steps)
            both = "UNION ALL" in sql
            own = (shape in SORTED) * both + index.startswith("sqlite")
            assert sorts <= 1 + both + own, (shape, sorts, steps)
            if both:
                assert any(f"INDEX {index_name('asserted', shape)} (" in step for step in steps)


def merged_statements(reader: Reading) -> Iterator[Statement]:
    first = min(Term.objects.values_list("id", flat=True))
    merging = InferredFilter(asserted=True, hidden=True, merged=(first + 3, first + 5))
    for shape in MERGED:
        own = constants(shape)
        yield shape, count_inferred(shape, reader.dialect, merging), [*own, 0.9] * 2
        for start in STARTS:
            kind = [*own, *BOUNDS[start], 10]
            sql = select_both(shape, start, reader.dialect, merging, with_metadata=True)
            yield shape, sql, [*kind, *kind, *kind, 10, 10]


@in_orm_thread
def test_sqlite_picks_the_facts_of_each_predicate_that_is_merged() -> None:
    only_on("sqlite")

    with reading() as reader:
        for shape, sql, parameters in merged_statements(reader):
            steps = sqlite_steps(reader, sql, parameters)
            picks = [step for step in steps if step.startswith("SEARCH i")]
            name = "inferred_po (predicate_id=? AND object_id=?" if shape[2] else "inferred_p (predicate_id=?"
            assert len(picks) == 2, steps
            assert all(name in pick for pick in picks), picks


@in_orm_thread
def test_sqlite_scans_nothing() -> None:
    only_on("sqlite")

    with reading() as reader:
        rows = [(sql, parameters) for _, sql, parameters in row_statements(reader)]
        for sql, parameters in [*rows, *other_statements(reader)]:
            scans = {step.split()[1] for step in sqlite_steps(reader, sql, parameters) if step.startswith("SCAN")}
            # What has been picked already, and the keys that are given.
            assert scans <= {"t", "g", "matches", "merged", "part_0", "part_1", "counted"}, (sql, scans)


@in_orm_thread
@pytest.mark.parametrize("column", [0, 1])
def test_sqlite_joins_in_the_order_of_terms_and_sorts_nothing(column: int) -> None:
    only_on("sqlite")
    x, y, z = map(Variable, "xyz")
    slots = {x: 0, y: 1, z: 2}
    lookups = [lookup_of((x, 3, y), slots, 0), lookup_of((y, 3, z), slots, 2)]
    with reading() as reader:
        given = OfTerms(2 * column, [1, 2, 3])
        sql, parameters = join_statement(lookups, given, [0.5, 0.5], 10, reader.dialect, None, Slots([column]))
        steps = sqlite_steps(reader, sql, parameters)
    assert steps[0].startswith("SEARCH f0 USING")
    assert not [step for step in steps if "TEMP B-TREE" in step], steps


@in_orm_thread
def test_sqlite_looks_up_in_an_index_alone_what_must_stand_beside_a_join() -> None:
    only_on("sqlite")
    x, y, z = map(Variable, "xyz")
    slots = {x: 0, y: 1}
    present = [lookup_of((z, 4, y), slots, 2)]
    with reading() as reader:
        wanted, given = Slots([0, 1], present), OfTerms(0, [1, 2, 3])
        lookups = [lookup_of((x, 3, y), slots, 0)]
        sql, parameters = join_statement(lookups, given, [0.5, 0.6], 10, reader.dialect, None, wanted)
        steps = sqlite_steps(reader, sql, parameters)
    assert any("e USING COVERING INDEX triple_po (predicate_id=? AND object_id=? AND weight>?)" in one for one in steps)
    assert not [step for step in steps if "TEMP B-TREE" in step], steps


@in_orm_thread
def test_postgresql_scans_nothing_and_reads_each_kind_by_its_index() -> None:
    only_on("postgresql")

    with reading() as reader:
        for shape, sql, parameters in row_statements(reader):
            nodes = postgresql_nodes(reader, sql, parameters)
            assert not scanned(nodes), (shape, sql, nodes)
            if "UNION ALL" in sql and INDEXES["inferred"][shape].startswith("inferred"):
                assert INDEXES["inferred"][shape] in {node.get("Index Name") for node in nodes}, (shape, sql)
        merged = [(sql, parameters) for _, sql, parameters in merged_statements(reader)]
        for sql, parameters in [*merged, *other_statements(reader)]:
            nodes = postgresql_nodes(reader, sql, parameters)
            assert not scanned(nodes), (sql, nodes)


def scanned(nodes: list[dict[str, Any]]) -> set[str]:
    """The tables of facts that are read from end to end."""
    return {FACTS, "triples_triple"} & {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
