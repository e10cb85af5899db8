"""What would have a predicate that no fact may have is not derived, by whichever way."""

from typing import Any

import pytest

from tests.support.database import in_orm
from tests.triples.runs.graphs import Graph
from tests.triples.runs.test_runs import derived
from triples.models import Rule
from triples.recursion.grammar import parse_rule
from triples.runs.previewing import derive_preview
from triples.text import MAX_PREDICATE_LENGTH

pytestmark = pytest.mark.both

# What is said by a property is said by its superproperties too, whose names stand as objects, which may be longer.
SUB_PROPERTY: dict[str, Any] = {
    "name": "sub-property",
    "head": ["?x", "?q", "?y"],
    "body": [["?x", "?p", "?y"], ["?p", "sub_property_of", "?q"]],
}
TURNED = {"name": "turned", "head": ["?y", "turned", "?x"], "body": [["?x", "?p", "?y"], ["?p", "is", "short"]]}

# Of one, two and four bytes each.
LONGEST = [letter * MAX_PREDICATE_LENGTH for letter in "pé𝑝"]
TOO_LONG = [text + text[0] for text in LONGEST]


@pytest.fixture
def properties(graph: Graph) -> Graph:
    graph.rule(SUB_PROPERTY)
    graph.add(("a", "p", "b"), *(("p", "sub_property_of", text) for text in (*LONGEST, *TOO_LONG)))
    return graph


def expected(*subjects: str) -> set[tuple[str, str, str]]:
    return {(subject, text, "b") for subject in subjects for text in LONGEST}


@pytest.mark.once
def test_a_run_from_nothing_does_not_derive_it(properties: Graph) -> None:
    run = properties.run()
    assert (run.mode, set(derived())) == ("full", expected("a"))


def test_a_run_of_what_has_changed_does_not_derive_it(properties: Graph) -> None:
    properties.run()
    properties.add(("c", "p", "b"), ("p", "sub_property_of", "x" * 501), ("p", "sub_property_of", "x"))
    run = properties.run()
    assert run.mode == "incremental"
    assert set(derived()) == expected("a", "c") | {("a", "x", "b"), ("c", "x", "b")}
    properties.remove("a", "p", "b")
    assert properties.run().mode == "incremental"
    assert set(derived()) == expected("c") | {("c", "x", "b")}


@pytest.mark.once
def test_a_run_of_one_rule_and_type_does_not_derive_it(properties: Graph) -> None:
    properties.add(("a", "is_a", "Thing"), ("c", "p", "b"))
    properties.run(rules=("sub-property",), entity_types=("Thing",))
    assert set(derived()) == expected("a")


@pytest.mark.once
def test_nothing_rests_on_it(properties: Graph) -> None:
    """A rule that would go on from a fact with any predicate has none to go on from."""
    properties.rule(TURNED)
    properties.add((TOO_LONG[0], "is", "short"), (LONGEST[0], "is", "short"))
    properties.run()
    assert set(derived()) == expected("a") | {("b", "turned", "a")}


@pytest.mark.once
def test_a_preview_does_not_count_it(properties: Graph) -> None:
    found = in_orm(derive_preview, parse_rule(SUB_PROPERTY | {"name": "another"}))
    assert (found.count, {example.predicate for example in found.examples}) == (3, set(LONGEST))
    assert in_orm(Rule.objects.count) == 1


def test_facts_from_before_that_have_one_go_with_the_next_run(
    properties: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older version of the service has derived them, by the same rules and from the same facts."""
    with monkeypatch.context() as older:
        older.setattr("triples.recursion.programs.BoundRule.makes_predicates", False)
        properties.run()
    assert {key[1] for key in derived()} >= set(TOO_LONG)
    properties.run()
    assert set(derived()) == expected("a")
