"""Selections of facts: what they find is what a walk through all facts finds, in the same order."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import orjson
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker

from tests.support.database import empty_tables, in_orm, in_orm_thread
from tests.support.properties import examples
from tests.triples.store.inferred.derivations import a_state, write_anew
from tests.triples.store.inferred.reads import Reading, reading
from triples.models import HiddenFact
from triples.patterns import Shape, Variable
from triples.recursion.programs import BoundRule, Key, Program, Proof
from triples.store.fact_tables import EXACT, HEAVIEST, InferredFilter, Kind
from triples.store.inferred import key_batches
from triples.store.inferred.layout import KEY
from triples.store.select import BOTH_KINDS_HEAVIEST, NUMBER, TEXTS, Given, Select, Start, shape_of, sql

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("graph")]

TERMS = range(1, 5)
WEIGHTS = [0.0, 0.25, 0.5, 1.0]
ALL_KEYS = [Key(*terms) for terms in itertools.product(TERMS, repeat=3)]
# Every second is asserted, every third inferred, every fifth hidden; so there are facts of each mixture.
ASSERTED = {key: WEIGHTS[number % 4] for number, key in enumerate(ALL_KEYS) if number % 2 == 0}
IDS = {key: number for number, key in enumerate(ASSERTED, start=1)}
INFERRED = {key: WEIGHTS[number % 4] for number, key in enumerate(ALL_KEYS) if number % 3 == 0}
HIDDEN = set(ALL_KEYS[::5])
X, Y, P = Variable("x"), Variable("y"), Variable("p")
# With a variable as a predicate, so that all indexes are there.
PROGRAM = Program((BoundRule(0, "turned round", 1.0, (Y, P, X), ((X, P, Y),), (), ()),))
COLUMNS = ("id", *KEY, "weight", *TEXTS)


class Fact(NamedTuple):
    id: int | None
    key: Key
    weight: float

    @property
    def row(self) -> tuple[Any, ...]:
        return (self.id, *self.key, self.weight, *(f"t{term}" for term in self.key))


class Asked(NamedTuple):
    kind: Kind | Literal["both"]
    pattern: tuple[int | None, int | None, int | None]
    given: Given
    equal: tuple[tuple[int, int], ...]
    start: Start
    bounds: tuple[float, float]
    after: Key
    limit: int | None
    inferred: InferredFilter

    @property
    def select(self) -> Select:
        return Select(
            self.kind,
            COLUMNS,
            shape_of(self.pattern),
            self.given,
            equal=self.equal,
            start=self.start,
            order=BOTH_KINDS_HEAVIEST if self.kind == "both" else HEAVIEST[self.kind],
            limit=None if self.limit is None else "given",
            filter=self.inferred,
        )

    def parameters(self) -> list[Any]:
        limit = [] if self.limit is None else [self.limit]
        kinds: list[Kind] = ["asserted", "inferred"] if self.kind == "both" else [self.kind]
        found: list[Any] = []
        for kind in kinds:
            one = [*self.constants(), *self.bounds_of(kind), *limit]
            merged = len(self.inferred.merged_for(shape_of(self.pattern))) if kind == "inferred" else 0
            found += [*one * merged, *limit] if merged else one
        return [*found, *limit] if self.kind == "both" else found

    def constants(self) -> list[Any]:
        terms = [term for term in self.pattern if term is not None]
        return [f"t{term}" for term in terms] if self.given == "texts" else terms

    def bounds_of(self, kind: Kind) -> Sequence[Any]:
        weight, least = self.bounds
        match self.start:
            case "any":
                return []
            case "top" | "whole weight":
                return [weight]
            case "between" | "lighter":
                return [weight, least]
            case "same weight":
                return [weight, IDS.get(self.after, 0)] if kind == "asserted" else [weight, *self.after]
            case "by term":
                raise AssertionError("the order is another; tests.triples.query.test_finding_answers has it")

    def admits(self, fact: Fact) -> bool:
        weight, least = self.bounds
        within = {
            "any": True,
            "top": fact.weight >= weight,
            "whole weight": fact.weight == weight,
            "between": least <= fact.weight <= weight,
            "lighter": least <= fact.weight < weight,
            "same weight": fact.weight == weight
            and (fact.key > self.after if fact.id is None else fact.id > IDS.get(self.after, 0)),
        }
        return (
            within[self.start]
            and all(term in {None, own} for term, own in zip(self.pattern, fact.key, strict=True))
            and all(fact.key[left] == fact.key[right] for left, right in self.equal)
        )

    def expected(self) -> list[Fact]:
        found = [fact for fact in self.facts() if self.admits(fact)]
        found.sort(key=lambda fact: (-fact.weight, fact.id is None, fact.id or 0, fact.key))
        return found[: self.limit]

    def facts(self) -> Iterator[Fact]:
        if self.kind != "inferred":
            yield from (Fact(IDS[key], key, weight) for key, weight in ASSERTED.items())
        if self.kind != "asserted":
            for key, weight in INFERRED.items():
                if not (self.inferred.asserted and key in ASSERTED) and not (self.inferred.hidden and key in HIDDEN):
                    yield Fact(None, key, weight)


@pytest.fixture(scope="module")
def graph(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One for all tests of this module: none changes it."""

    def fill() -> None:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO triples_term (id, text) VALUES (%s, %s)", [(term, f"t{term}") for term in TERMS]
            )
            cursor.executemany(
                "INSERT INTO triples_triple (id, subject_id, predicate_id, object_id, weight, source, created_at)"
                " VALUES (%s, %s, %s, %s, %s, 1, 0)",
                [(IDS[key], *key, weight) for key, weight in ASSERTED.items()],
            )
        derived = {key: Proof(weight, 1, 0, ()) for key, weight in INFERRED.items()}
        write_anew(derived, a_state(program=PROGRAM, triples_up_to=len(IDS)))
        # A run lets nothing be hidden, so this comes after it.
        for key in HIDDEN:
            HiddenFact.objects.create(subject_id=key.subject, predicate_id=key.predicate, object_id=key.object)

    with django_db_blocker.unblock():
        in_orm(fill)
        yield
        in_orm(empty_tables)


def rows(reader: Reading, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with reader.snapshots.taken(reader.fetch):
        return [tuple(row) for row in reader.fetch(statement, parameters)]


terms = st.one_of(st.none(), st.none(), st.sampled_from(TERMS))
asked = st.builds(
    Asked,
    kind=st.sampled_from(["asserted", "inferred", "both"]),
    pattern=st.tuples(terms, terms, terms),
    given=st.sampled_from(["texts", "ids"]),
    equal=st.sampled_from([(), (), ((0, 2),), ((0, 1),), ((0, 1), (0, 2)), ((1, 2),)]),
    start=st.sampled_from(["any", "top", "whole weight", "lighter", "same weight"]),
    bounds=st.tuples(st.sampled_from(WEIGHTS), st.sampled_from(WEIGHTS)),
    after=st.sampled_from(ALL_KEYS),
    limit=st.one_of(st.none(), st.integers(1, 30)),
    inferred=st.builds(InferredFilter, st.booleans(), st.booleans(), st.sampled_from([None, tuple(TERMS)])),
)


@settings(max_examples=examples(2))
@given(st.lists(asked, min_size=1, max_size=10))
@in_orm_thread
def test_what_is_selected_is_what_a_walk_finds(several: list[Asked]) -> None:
    with reading() as reader:
        for one in several:
            found = rows(reader, sql(one.select, reader.dialect), one.parameters())
            assert found == [fact.row for fact in one.expected()], one


@settings(max_examples=examples(1))
@given(st.lists(asked, min_size=1, max_size=10))
@in_orm_thread
def test_what_is_counted_is_what_a_walk_finds_up_to_the_limit(several: list[Asked]) -> None:
    with reading() as reader:
        for one in several:
            # The limit of a count is for all predicates together.
            unlimited = one._replace(limit=None)
            select = unlimited.select._replace(columns=(), order=(), limit=one.limit, counted=True)
            found = rows(reader, sql(select, reader.dialect), unlimited.parameters())
            assert found == [(len(one.expected()),)], one


@pytest.mark.parametrize("kind", ["asserted", "inferred"])
@in_orm_thread
def test_facts_are_found_by_many_keys_at_once(kind: Kind) -> None:
    wanted = ALL_KEYS[::7]
    stored = ASSERTED if kind == "asserted" else INFERRED

    with reading() as reader:
        statement = sql(Select(kind, (*KEY, "weight", *TEXTS), EXACT, given="keys"), reader.dialect)
        [batch] = key_batches.batches(wanted)
        found = rows(reader, statement, [batch])
        expected = [(*key, stored[key], *(f"t{term}" for term in key)) for key in wanted if key in stored]
        assert sorted(found) == sorted(expected)


@settings(max_examples=examples(1))
@given(
    shape=st.sampled_from([shape for shape in itertools.product((True, False), repeat=3) if any(shape)]),
    given_keys=st.lists(st.sampled_from(ALL_KEYS), min_size=1, max_size=5),
    kind=st.sampled_from(["asserted", "inferred", "both"]),
    inferred=st.builds(InferredFilter, st.booleans(), st.booleans(), st.none()),
)
@in_orm_thread
def test_facts_are_found_for_many_values_at_once(
    shape: Shape, given_keys: list[Key], kind: Kind | Literal["both"], inferred: InferredFilter
) -> None:
    """As a join looks up what a pattern matches for all that was found before."""
    values = [tuple(itertools.compress(key, shape)) for key in given_keys]
    select = Select(kind, (NUMBER, *KEY, "weight"), shape, given="numbered", filter=inferred)

    with reading() as reader:
        one = numbered(values)
        found = rows(reader, sql(select, reader.dialect), one * (2 if kind == "both" else 1))
        everything = Asked(kind, (None, None, None), "ids", (), "any", (0, 0), ALL_KEYS[0], None, inferred)
        expected = [
            (number, *fact.key, fact.weight)
            for number, value in enumerate(values)
            for fact in everything.facts()
            if tuple(itertools.compress(fact.key, shape)) == value
        ]
        assert sorted(found) == sorted(expected)


def numbered(values: Sequence[tuple[int, ...]]) -> list[Any]:
    """The parameters of `Dialect.numbered_table`."""
    if connection.vendor == "sqlite":
        return [orjson.dumps(values).decode()]
    return [list(range(len(values))), *map(list, zip(*values, strict=True))]


@in_orm_thread
def test_statements_of_one_shape_are_one_string() -> None:
    """The driver keeps what it has prepared by the text."""
    shape: Shape = (True, False, False)
    one, other = (
        Select("asserted", COLUMNS, shape, start="top", order=HEAVIEST["asserted"], limit="given") for _ in range(2)
    )

    with reading() as reader:
        assert sql(one, reader.dialect) is sql(other, reader.dialect)
