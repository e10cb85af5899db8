"""How the databases run the store's statements: by indexes, never by a scan of the facts."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import psycopg
import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.support.database import empty_tables, in_orm
from tests.triples.store.graphs import committed, fact
from triples.patterns import Equal, Shape
from triples.query import facts_by_key
from triples.query.reads import count_asserted, select_asserted
from triples.store.backend import backend
from triples.store.dialect import Dialect
from triples.store.fact_tables import INDEXES, index_name
from triples.store.group_commit import open_session
from triples.store.operations import AddMany, AddOne, Change, Remove, RemoveMany
from triples.store.postgresql import round_trips
from triples.store.select import Start
from triples.store.sessions import Fetch, Session
from triples.store.sqlite.dialect import SQLITE
from triples.store.statistics import statistics

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("graph")]

FACTS = 30_000
SHAPES = list(INDEXES["asserted"])
STARTS: list[Start] = ["top", "between", "same weight", "lighter"]
BOUNDS: dict[Start, list[Any]] = {"top": [0.5], "between": [0.5, 0.1], "same weight": [0.5, 10], "lighter": [0.5, 0.1]}
# One subject and one object have few facts in common; those are read and sorted.
SORTED = {(True, False, True), (True, True, True)}


class Statement(NamedTuple):
    sql: str
    parameters: Sequence[Any]


Plan = Callable[[Statement], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def graph(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One for all tests of this module, since it takes seconds to make."""
    with django_db_blocker.unblock():
        in_orm(_fill)
        yield
        in_orm(empty_tables)


def _fill() -> None:
    """Terms t1 to t5000, of which t1 to t20 are predicates; one of them in every second fact."""
    numbers = (
        f"generate_series(1, {FACTS}) AS n (i)"
        if connection.vendor == "postgresql"
        else f"(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FACTS}) SELECT i FROM n)"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO triples_term (text) SELECT 't' || i FROM {numbers} WHERE i <= 5000")
        cursor.execute("SELECT min(id) FROM triples_term")
        [first] = cursor.fetchone()
        cursor.execute(
            "INSERT INTO triples_triple (subject_id, predicate_id, object_id, weight, source, created_at)"
            f" SELECT {first} + i % 4999, {first} + CASE i % 2 WHEN 0 THEN 0 ELSE i % 20 END, {first} + i % 4783,"
            f" (i % 1000) / 1000.0, 1, 0 FROM {numbers}"
        )
        cursor.execute("ANALYZE triples_triple")
        cursor.execute("ANALYZE triples_term")


def dialect() -> Dialect:
    return backend().dialect


def read_statements() -> Iterator[tuple[Shape, Statement]]:
    for shape in SHAPES:
        constants = [text for text, fixed in zip(("t7", "t3", "t9"), shape, strict=True) if fixed]
        for start in STARTS:
            for with_metadata in (False, True):
                for equal in equal_columns(shape):
                    sql = select_asserted(shape, start, dialect(), with_metadata=with_metadata, equal=equal)
                    yield shape, Statement(sql, [*constants, *BOUNDS[start], 10])
        yield from ((shape, statement) for statement in count_statements(shape))


def equal_columns(shape: Shape) -> list[Equal]:
    """None, and each pair of columns that may be asked to be the same."""
    free = [column for column, fixed in enumerate(shape) if not fixed]
    return [(), *((pair,) for pair in itertools.combinations(free, 2))]


def count_statements(shape: Shape) -> Iterator[Statement]:
    constants = [text for text, fixed in zip(("t7", "t3", "t9"), shape, strict=True) if fixed]
    yield Statement(count_asserted(shape, dialect(), least_weight=True), [*constants, 0.5])
    yield Statement(count_asserted(shape, dialect(), least_weight=False), constants)


class Recorder:
    """A driver that notes what it is told to run."""

    def __init__(self, driver: Any, statements: list[Statement]) -> None:
        self._driver = driver
        self._statements = statements

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        self._statements.append(Statement(sql, parameters))
        return self._driver.execute(sql, parameters)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> Any:
        self._statements.append(Statement(sql, rows[0]))
        return self._driver.executemany(sql, rows)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Statement]:
    """The statements of every session from here on."""
    statements: list[Statement] = []
    if connection.vendor == "postgresql":
        _record_postgresql(monkeypatch, statements)
        return statements

    def open_recorded(database: Any) -> Session:
        session = open_session(database)
        session.driver = Recorder(session.driver, statements)
        return session

    monkeypatch.setattr("triples.store.group_commit.open_session", open_recorded)
    return statements


def _record_postgresql(monkeypatch: pytest.MonkeyPatch, statements: list[Statement]) -> None:
    """Note what is sent by itself, and what several statements of a round trip are."""

    def noting(execute: Callable[..., Any]) -> Callable[..., Any]:
        def noted(driver: Any, sql: Any, parameters: Any = None, **options: Any) -> Any:
            if isinstance(sql, str) and sql.startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
                statements.append(Statement(sql, parameters or ()))
            return execute(driver, sql, parameters, **options)

        return noted

    monkeypatch.setattr(psycopg.Connection, "execute", noting(psycopg.Connection.execute))
    monkeypatch.setattr(round_trips, "execute", noting(round_trips.execute))


def _write_of_every_kind() -> None:
    rows = _fetch("SELECT id, created_at FROM triples_triple ORDER BY id LIMIT 4", [])
    (one, created_ms), (other, _), *several = rows
    committed(
        [
            AddOne(fact("t1", "t2", "a new term")),
            AddOne(fact("t1", "t2", "a new term", 0.5), replace=True),
            AddMany([fact("t1", "t2", f"new {number}") for number in range(5)] + [fact("another", "t2", "t1")]),
            Change(one, created_ms, weight=0.25),
            Remove(other, created_ms),
            RemoveMany([id_ for id_, _ in several]),
        ]
    )


def _fetch(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    return open_session(connection).rows(sql, parameters)


def _other_reads(fetch: Fetch) -> None:
    facts_by_key.fact(fetch, dialect(), 5)
    statistics(fetch)


class Step(NamedTuple):
    """A line of SQLite's plan, and whether it is part of the select that picks the facts."""

    text: str
    within_picking: bool

    @property
    def reads_facts(self) -> bool:
        return re.match(r"(SEARCH|SCAN) f\b", self.text) is not None


def sqlite_plan(statement: Statement) -> list[Step]:
    lines = _fetch(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters)
    picking = {line[0] for line in lines if line[3].startswith("CO-ROUTINE t")}
    return [Step(line[3], line[1] in picking) for line in lines]


def postgresql_plan(statement: Statement) -> list[dict[str, Any]]:
    """Every node of the plan for these parameters."""
    [([plan],)] = _fetch(f"EXPLAIN (FORMAT JSON) {statement.sql}", statement.parameters)
    return _nodes(plan["Plan"])


def generic_plan(statement: Statement) -> list[dict[str, Any]]:
    """Every node of the plan that serves any parameters, which a connection may keep."""
    numbers = itertools.count(1)
    sql = re.sub("%s", lambda _: f"${next(numbers)}", statement.sql)
    [([plan],)] = _fetch(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {sql}", ())
    return _nodes(plan["Plan"])


def _nodes(root: dict[str, Any]) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    pending = [root]
    while pending:
        node = pending.pop()
        nodes.append(node)
        pending += node.get("Plans", [])
    return nodes


def scanned(nodes: list[dict[str, Any]]) -> list[str]:
    """The tables that a plan reads from end to end; the tallies are a handful of rows for each predicate."""
    tables = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    return sorted(tables - {"triples_tally", "triples_predicatetally", "triples_materialisation"})


def indexes(nodes: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in nodes if "Index Name" in node}


@pytest.fixture
def on_sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a plan of SQLite")


@pytest.fixture
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a plan of PostgreSQL")


@pytest.mark.usefixtures("on_sqlite")
class TestSQLite:
    def test_every_shape_is_searched_by_its_index(self) -> None:
        for shape, statement in read_statements():
            steps = in_orm(sqlite_plan, statement)
            [facts] = [step.text for step in steps if step.reads_facts]
            if statement.sql == count_asserted((False, False, False), SQLITE, least_weight=False):
                # Any facts will do, as many as are counted.
                assert facts == "SCAN f USING COVERING INDEX triple_any"
                continue
            assert facts.startswith("SEARCH f USING"), (shape, facts)
            assert f"INDEX {index_name('asserted', shape)} (" in facts, (shape, facts)
            for column, fixed in zip(("subject_id", "predicate_id", "object_id"), shape, strict=True):
                assert (f"{column}=?" in facts) == fixed or shape in SORTED

    def test_counting_reads_the_index_alone(self) -> None:
        for shape in SHAPES:
            with_weight, without = (in_orm(sqlite_plan, statement) for statement in count_statements(shape))
            assert any("COVERING INDEX" in step.text for step in without if step.reads_facts), shape
            assert shape in SORTED or any("COVERING INDEX" in step.text for step in with_weight), shape

    def test_facts_are_picked_in_their_order_without_sorting(self) -> None:
        for shape, statement in read_statements():
            sorts = [
                step for step in in_orm(sqlite_plan, statement) if step.within_picking and "TEMP B-TREE" in step.text
            ]
            assert not sorts or shape in SORTED

    def test_terms_are_found_and_not_searched_for(self) -> None:
        for _, statement in read_statements():
            for step in in_orm(sqlite_plan, statement):
                if step.text.startswith("SCAN"):
                    assert step.text in {
                        "SCAN t",
                        "SCAN matches",
                        "SCAN f USING COVERING INDEX triple_any",
                    }

    def test_no_write_scans_a_table(self, recorded: list[Statement]) -> None:
        in_orm(_write_of_every_kind)
        assert len(recorded) > 8
        for statement in recorded:
            scans = [step.text for step in in_orm(sqlite_plan, statement) if step.text.startswith("SCAN")]
            # The rows that are to be inserted are no table.
            tables = {scan.split()[1] for scan in scans if not scan.endswith("CONSTANT ROWS")}
            assert tables <= {"json_each", "k", "sqlite_sequence"}, (statement.sql, scans)

    def test_neither_do_statistics_and_look_ups_by_id(self) -> None:
        for statement in in_orm(_statements_of_other_reads):
            scans = [step.text for step in in_orm(sqlite_plan, statement) if step.text.startswith("SCAN")]
            # Of the statistics, the tallies and what is made of them.
            tables = {scan.split()[1].split("-")[0] for scan in scans}
            assert tables <= {"triples_tally", "triples_predicatetally", "(subquery", "c"}, (statement.sql, scans)


def _statements_of_other_reads() -> list[Statement]:
    statements: list[Statement] = []

    def fetch(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        statements.append(Statement(sql, parameters))
        return _fetch(sql, parameters)

    _other_reads(fetch)
    return statements


@pytest.mark.usefixtures("on_postgresql")
class TestPostgreSQL:
    @pytest.mark.parametrize("plan", [postgresql_plan, generic_plan])
    def test_no_shape_with_a_constant_scans_the_facts(self, plan: Plan) -> None:
        for shape, statement in read_statements():
            nodes = in_orm(plan, statement)
            assert not any(shape) or "triples_triple" not in scanned(nodes), (shape, nodes)

    def test_every_shape_is_read_by_its_index(self) -> None:
        for shape, statement in read_statements():
            if "count(*)" not in statement.sql and shape not in SORTED:
                nodes = in_orm(postgresql_plan, statement)
                assert INDEXES["asserted"][shape] in indexes(nodes), (shape, statement.sql, nodes)
                assert scanned(nodes) == []

    def test_no_write_scans_a_table(self, recorded: list[Statement]) -> None:
        in_orm(_write_of_every_kind)
        assert len(recorded) > 8
        # The plans are asked for by statements, too.
        for statement in recorded.copy():
            assert scanned(in_orm(postgresql_plan, statement)) == [], statement.sql

    def test_neither_do_statistics_and_look_ups_by_id(self) -> None:
        for statement in in_orm(_statements_of_other_reads):
            assert scanned(in_orm(postgresql_plan, statement)) == [], statement.sql
