"""Predicates that a rule names and no fact has: said, with those that may have been meant."""

import pytest

from tests.support.database import in_orm
from tests.support.facts import store
from tests.triples.runs.conftest import graph as graph  # noqa: PLC0414  # a fixture
from tests.triples.runs.graphs import Graph
from triples.recursion.grammar import parse_rule
from triples.recursion.rules import Rule
from triples.rules.documents import read_document
from triples.services.missing_predicates import missing_predicates
from triples.services.rules import rules_add

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def rule(head: str, *body: str, name: str = "tried") -> Rule:
    patterns = [["?x", predicate, f"?y{place}"] for place, predicate in enumerate(body)]
    return parse_rule({"name": name, "head": ["?x", head, "?x"], "body": patterns})


def told(*rules: Rule) -> list[str]:
    return [str(one) for one in missing_predicates(rules)]


def test_a_typing_error_is_said_with_what_may_have_been_meant() -> None:
    store(("Ann", "parent_of", "Bob"), ("Ann", "lives_in", "Rome"))
    assert told(rule("q", "parent_of", "parent_fo")) == ["There is no predicate parent_fo yet; did you mean parent_of?"]


def test_a_predicate_that_is_like_no_other_may_come_later() -> None:
    store(("Ann", "parent_of", "Bob"))
    assert told(rule("q", "xyzzy")) == [
        "There is no predicate xyzzy yet. The rule derives nothing until there is a fact with it."
    ]


def test_a_term_that_is_no_predicate_is_none() -> None:
    store(("Ann", "parent_of", "Bob"))
    assert [one.text for one in missing_predicates([rule("q", "Bob")])] == ["Bob"]


def test_a_variable_is_any_predicate() -> None:
    assert told(rule("q", "?p")) == []


def test_what_another_rule_derives_is_not_missing() -> None:
    rules_add(drafts=read_document({"name": "stored", "sub_property": ["p", "made"]}))
    assert told(rule("q", "made"), rule("made too", "q", name="second")) == []


def test_what_only_the_rule_itself_derives_is_missing() -> None:
    [draft] = read_document({"name": "own", "transitive": "part_fo"})
    rules_add(drafts=[draft])
    assert [one.text for one in missing_predicates([draft.rule])] == ["part_fo"]


def test_inferred_facts_count(graph: Graph) -> None:
    graph.add(("a", "p", "b"))
    graph.rule({"name": "first", "sub_property": ["p", "made"]})
    graph.run()
    in_orm(graph_without_rules)
    assert in_orm(told, rule("q", "made")) == []


def graph_without_rules() -> None:
    from triples.models import Rule as StoredRule

    StoredRule.objects.all().delete()
