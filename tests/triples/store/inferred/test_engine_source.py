"""The stored facts as the evaluator asks for them: the same as from memory, and by index."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker

from tests.support.database import empty_tables, in_orm
from tests.support.properties import examples
from tests.triples.recursion import strategies
from tests.triples.recursion.memory import MemorySource
from tests.triples.recursion.oracle import evaluate
from tests.triples.store.inferred.derivations import a_state, write_anew
from triples.patterns import BoundPattern, Shape, Variable, free_variables
from triples.recursion.incremental import Changes, FactSource, update
from triples.recursion.programs import BoundRule, Key, Program, Proof
from triples.store.backend import backend
from triples.store.inferred import engine_source
from triples.store.inferred.run_snapshots import Snapshot

pytestmark = [pytest.mark.both]

SHAPES: list[Shape] = list(itertools.product((True, False), (True, False), (True, False)))
X, Y, Z, U = (Variable(name) for name in "xyzu")


@pytest.fixture
def _terms(database: None) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO triples_term (id, text) VALUES (%s, %s)", [(id_, f"t{id_}") for id_ in range(1, 10)]
        )


def assert_alone(facts: Mapping[Key, float]) -> None:
    """Let these and no others be the asserted facts."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM triples_triple")
        cursor.executemany(
            "INSERT INTO triples_triple (subject_id, predicate_id, object_id, weight, source, created_at)"
            " VALUES (%s, %s, %s, %s, 1, 0)",
            [(*key, weight) for key, weight in facts.items()],
        )


def same_answers(program: Program, stored: FactSource, expected: FactSource, keys: list[Key]) -> None:
    assert stored.asserted(keys) == expected.asserted(keys)
    assert stored.proofs(keys) == expected.proofs(keys)
    assert dict(stored.resting_on(keys)) == dict(expected.resting_on(keys))
    for shape in SHAPES:
        # Facts of any predicate are asked for by rules with a variable there, and only then is there an index for them.
        if program.predicates is not None and not shape[1]:
            continue
        bound = sorted({tuple(itertools.compress(key, shape)) for key in keys})
        assert sorted(stored.matches(shape, bound)) == sorted(expected.matches(shape, bound))


@pytest.mark.usefixtures("_terms")
@settings(max_examples=examples(0.5))
@given(
    before=strategies.facts(min_size=3),
    program=strategies.programs(),
    after=st.dictionaries(strategies.keys, strategies.fact_weights, max_size=4),
    keys=st.lists(strategies.keys, min_size=1, max_size=6, unique=True),
)
def test_the_answers_are_those_of_the_same_facts_in_memory(
    before: dict[Key, float], program: Program, after: dict[Key, float], keys: list[Key]
) -> None:
    derived = evaluate(before, program)
    write_anew(derived, a_state(program=program))
    now = before | after
    assert_alone(now)
    asked = sorted({*keys, *list(derived)[:4], *list(now)[:4]})
    with backend().snapshot() as view:
        same_answers(program, view.source(program), MemorySource(program, now, derived), asked)


@pytest.mark.usefixtures("_terms")
@settings(max_examples=examples(0.3))
@given(
    before=strategies.facts(min_size=3),
    program=strategies.programs(),
    after=strategies.facts(),
)
def test_an_update_over_the_stored_facts_ends_where_a_run_from_nothing_does(
    before: dict[Key, float], program: Program, after: dict[Key, float]
) -> None:
    derived = evaluate(before, program)
    write_anew(derived, a_state(program=program))
    assert_alone(after)
    changes = Changes(before.keys() | after.keys())
    with backend().snapshot() as view:
        found = update(program, view.source(program), changes, min_weight=0.0, budget=10**6)
    kept = {key: proof for key, proof in derived.items() if key not in found.removed}
    assert kept | found.put == evaluate(after, program)


@pytest.mark.usefixtures("_terms")
def test_nothing_is_found_for_nothing() -> None:
    write_anew({}, a_state(program=Program(())))
    with backend().snapshot() as view:
        source = view.source(Program(()))
        assert source.asserted([]) == {}
        assert source.proofs([]) == {}
        assert list(source.resting_on([])) == []
        assert list(source.matches((True, False, False), [])) == []


@pytest.mark.usefixtures("_terms")
def test_a_look_up_can_be_left_half_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_source, "ROWS_AT_ONCE", 2)
    facts = {Key(1, 2, number): 0.5 for number in range(1, 9)}
    assert_alone(facts)
    write_anew({}, a_state(program=Program(())))
    with backend().snapshot() as view:
        source = view.source(Program(()))
        first = source.matches((True, False, False), [(1,)])
        assert next(first)[1] in facts
        assert len(list(source.matches((False, True, False), [(2,)]))) == 8
        del first
        assert source.asserted([Key(1, 2, 3)]) == {Key(1, 2, 3): 0.5}


def a_rule(number: int, head: BoundPattern, *body: BoundPattern) -> BoundRule:
    return BoundRule(number, f"rule {number}", 1.0, head, body, (), free_variables(head, body))


# Between them, their bodies tell of a proof: its subject, its first free value, its object, its predicate, nothing.
TELLING = Program(
    (
        a_rule(0, (X, 1, Z), (X, 1, Y), (Y, 1, Z)),
        a_rule(1, (X, 2, Z), (Y, 3, Z), (X, 3, U), (U, 3, Y)),
        a_rule(2, (X, Y, Z), (X, 4, Z), (Y, 4, Y)),
        a_rule(3, (X, 5, X), (X, 5, 5), (5, 5, 5)),
        a_rule(4, (X, 6, Z), (X, 6, Y), (Y, 6, U), (U, 6, Z)),
    )
)
MANY = 20_000


@pytest.fixture(scope="module")
def _many_facts(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One graph for all plans, since it takes a while to make."""
    with django_db_blocker.unblock():
        in_orm(_fill)
        yield
        in_orm(empty_tables)


def _fill() -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO triples_term (id, text) VALUES (%s, %s)", [(id_, f"t{id_}") for id_ in range(1, 5001)]
        )
    assert_alone({Key(1 + n % 4999, 1 + n % 7, 1 + n % 4783): (n % 100) / 100 for n in range(MANY)})
    derived: dict[Key, Proof] = {}
    for n in range(MANY):
        rule = TELLING.rules[n % len(TELLING.rules)]
        free = (1 + n % 4801, 1 + n % 31)[: len(rule.free)]
        derived[Key(1 + n % 4999, 1 + n % 6, 1 + n % 4787)] = Proof(0.5, 1, rule.number, free)
    write_anew(derived, a_state(program=TELLING))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE triples_triple")


class Recorder:
    """A driver, or a cursor of one, that notes what it is told to run."""

    def __init__(self, recorded: Any, statements: list[tuple[str, Any]]) -> None:
        self._recorded = recorded
        self.statements = statements

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        self.statements.append((sql, parameters))
        return self._recorded.execute(sql, parameters)

    def cursor(self, name: str) -> "Recorder":
        return Recorder(self._recorded.cursor(name=name), self.statements)

    def __enter__(self) -> Self:
        self._recorded.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._recorded.__exit__(*raised)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._recorded)


@pytest.fixture
def recorded(_many_facts: None, django_db_blocker: DjangoDbBlocker) -> Iterator[tuple[Snapshot, Recorder]]:
    with django_db_blocker.unblock(), backend().snapshot() as view:
        recorder = Recorder(view.driver, [])
        view.driver = recorder
        yield view, recorder


def _ask_for_everything(view: Snapshot) -> None:
    source = view.source(TELLING)
    keys = [Key(5, 1, 7), Key(8, 3, 9), Key(3, 4, 3), Key(5, 5, 5), Key(7, 6, 2), Key(9, 4, 9)]
    source.asserted(keys)
    source.proofs(keys)
    list(source.resting_on(keys))
    for shape in SHAPES:
        if any(shape):
            list(source.matches(shape, sorted({tuple(itertools.compress(key, shape)) for key in keys})))


def test_every_look_up_is_by_index(recorded: tuple[Snapshot, Recorder]) -> None:
    view, recorder = recorded
    _ask_for_everything(view)
    looked_up = [(sql, parameters) for sql, parameters in recorder.statements if sql.startswith("SELECT")]
    assert len(looked_up) > 20
    for sql, parameters in looked_up:
        assert scans(view.driver, sql, parameters) == [], sql


def scans(driver: Any, sql: str, parameters: Any) -> list[str]:
    """The tables of facts that are read from end to end."""
    if connection.vendor == "sqlite":
        plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()]
        return [line for line in plan if re.match(r"SCAN [fia]\b", line)]
    [([plan],)] = driver.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters).fetchall()
    return [node["Relation Name"] for node in _nodes(plan["Plan"]) if node["Node Type"] == "Seq Scan"]


def _nodes(root: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield root
    for node in root.get("Plans", []):
        yield from _nodes(node)
