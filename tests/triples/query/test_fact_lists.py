"""Lists of facts for people: right, and read from an index that has their order."""

import itertools
import random
import re
from math import inf
from typing import Any

import pytest
from django.db import connection

from triples.fields import to_milliseconds
from triples.models import Source, Term, Triple
from triples.query import fact_lists
from triples.query.fact_lists import PLACES, FactKey, Order, Selection, fact_ids, held_row
from triples.store.group_commit import write_now
from triples.store.operations import AddMany, Fact

pytestmark = pytest.mark.usefixtures("database")

NAMES = [f"n{number}" for number in range(8)]


@pytest.fixture
def facts() -> list[Triple]:
    """Some hundred facts among a few terms, with equal weights among them."""
    chosen = random.Random(5)
    combinations = chosen.sample(list(itertools.product(NAMES, NAMES, NAMES)), 200)
    write_now(
        [
            AddMany(
                [
                    Fact(
                        *terms,
                        chosen.choice([0.0, 0.1, 0.5, 0.9, 1.0]),
                        chosen.choice([None, '{"a":1}']),
                        chosen.choice(list(Source)),
                    )
                    for terms in combinations
                ]
            )
        ]
    )
    return list(Triple.objects.order_by("id"))


def terms(*names: str) -> list[int]:
    return list(Term.objects.filter(text__in=names).values_list("pk", flat=True))


def matches(fact: Triple, wanted: Selection) -> bool:
    """True if a fact is selected, as the plainest reading has it."""
    in_places = wanted.terms is None or any(getattr(fact, f"{place}_id") in wanted.terms for place in wanted.places)
    named = wanted.fact is not None and wanted.fact == (fact.pk, to_milliseconds(fact.created_at))
    return (
        (in_places or named)
        and wanted.predicate in {None, fact.predicate_id}
        and wanted.least_weight <= fact.weight < wanted.below_weight
        and wanted.source in {None, fact.source}
        and wanted.has_metadata in {None, fact.metadata is not None}
    )


def in_order(facts: list[Triple], order: Order) -> list[int]:
    keys = {
        Order.NEWEST: lambda fact: -fact.pk,
        Order.HEAVIEST: lambda fact: (-fact.weight, fact.pk),
        Order.LIGHTEST: lambda fact: (fact.weight, -fact.pk),
    }
    return [fact.pk for fact in sorted(facts, key=keys[order])]


def selections() -> list[Selection]:
    some = terms("n1", "n5")
    return [
        Selection(),
        Selection(source=Source.ADMIN),
        Selection(has_metadata=True),
        Selection(has_metadata=False, source=Source.API),
        Selection(least_weight=0.5, below_weight=1.0),
        Selection(least_weight=1.0, below_weight=inf),
        Selection(predicate=some[0]),
        Selection(predicate=some[0], least_weight=0.5, has_metadata=True),
        Selection(terms=some),
        Selection(terms=[]),
        Selection(terms=some, source=Source.BATCH, below_weight=0.9),
        *(Selection(terms=some, places=[place]) for place in PLACES),
        *(Selection(terms=some, places=[place], predicate=some[1]) for place in PLACES),
        Selection(terms=some, predicate=some[0], has_metadata=False),
    ]


@pytest.mark.both
def test_a_list_has_the_facts_that_are_selected_in_its_order(facts: list[Triple]) -> None:
    for selection in selections():
        expected = [fact for fact in facts if matches(fact, selection)]
        for order in (Order.HEAVIEST, Order.LIGHTEST):
            assert fact_ids(selection, order) == in_order(expected, order), (selection, order)
        if selection.all_facts:
            assert fact_ids(selection, Order.NEWEST) == in_order(expected, Order.NEWEST), selection


@pytest.mark.both
def test_a_fact_is_selected_by_its_key_and_time_besides_those_of_terms(facts: list[Triple]) -> None:
    one = facts[7]
    key = FactKey(one.pk, to_milliseconds(one.created_at))
    assert fact_ids(Selection(terms=[], fact=key), Order.HEAVIEST) == [one.pk]
    assert fact_ids(Selection(terms=[], fact=key, predicate=one.predicate_id), Order.HEAVIEST) == [one.pk]
    for other in (
        Selection(terms=[], fact=key._replace(created_ms=key.created_ms + 1)),
        Selection(terms=[], fact=key, predicate=one.predicate_id + 1),
        Selection(terms=[], fact=key, least_weight=one.weight + 0.01),
    ):
        assert fact_ids(other, Order.HEAVIEST) == []


@pytest.mark.both
def test_a_list_reaches_so_far_and_tells_that_there_is_more(
    facts: list[Triple], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_lists, "REACH", 20)
    assert fact_ids(Selection(), Order.NEWEST) == in_order(facts, Order.NEWEST)[:21]
    several = Selection(terms=terms(*NAMES))
    assert fact_ids(several, Order.HEAVIEST) == in_order(facts, Order.HEAVIEST)[:21]


@pytest.mark.both
def test_what_no_index_has_is_looked_for_in_the_first_part_only(
    facts: list[Triple], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_lists, "FILTER_REACH", 30)
    looked_at = in_order(facts, Order.NEWEST)[:30]
    with_metadata = {fact.pk for fact in facts if fact.metadata is not None}
    assert fact_ids(Selection(has_metadata=True), Order.NEWEST) == [id_ for id_ in looked_at if id_ in with_metadata]
    assert Selection(terms=[1, 2], places=["subject"]).filter_reach == 15


@pytest.mark.both
def test_a_row_is_read_as_the_store_has_it(facts: list[Triple]) -> None:
    row = held_row(facts[0].pk)
    assert row is not None
    assert (row.id, row.weight, row.subject) == (facts[0].pk, facts[0].weight, facts[0].subject.text)
    assert held_row(facts[-1].pk + 1) is None


# Not on PostgreSQL, which rightly scans a table as small as this one.
def test_every_stretch_is_of_an_index(facts: list[Triple]) -> None:
    for selection in selections():
        for order in (Order.HEAVIEST, Order.LIGHTEST, *([Order.NEWEST] if selection.all_facts else [])):
            plan = plan_of(selection, order)
            if order is Order.NEWEST:
                assert [step for step in plan if reads_facts(step)] == ["SCAN f"]
                continue
            for step in plan:
                assert not reads_facts(step) or "USING" in step, (selection, order, plan)
            # Sorted are only the rows that the stretches bring together.
            assert sum("FOR ORDER BY" in step for step in plan) <= 1, (selection, order, plan)


def reads_facts(step: str) -> bool:
    return re.match(r"(SEARCH|SCAN) f\b", step) is not None


def plan_of(selection: Selection, order: Order) -> list[str]:
    """The steps of SQLite's plan for the list."""
    steps: list[str] = []

    def explain(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        context["cursor"].cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
        steps.extend(row[3] for row in context["cursor"].cursor.fetchall())
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(explain):
        fact_ids(selection, order)
    return steps
