"""Proof trees: every step is an application of a rule, every leaf an asserted fact, and none is without end."""

from collections.abc import Iterator

import pytest

from tests.support.database import in_orm, in_orm_thread
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derived import TRANSITIVE, key, program, run
from triples.query import explanations
from triples.query.explanations import Asserted, Node, explain_now
from triples.query.fact_rows import InferredRow
from triples.recursion.grammar import parse_rule
from triples.store.operations import NoSuchFact, Remove, Row

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

GRANDPARENT = {
    "name": "grandparent",
    "weight": 0.5,
    "head": ["?x", "grandparent", "?z"],
    "body": [["?x", "parent", "?y"], ["?y", "parent", "?z"]],
    "distinct": [["?x", "?z"]],
}


def text(node: Node) -> str:
    return f"{node.row.subject}{node.row.predicate}{node.row.object}"


def outline(node: Node) -> object:
    """A tree in few words."""
    if node.without is not None:
        return f"{text(node)} {node.without}"
    return {text(node): [outline(premise) for premise in node.premises]} if node.premises else text(node)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for premise in node.premises:
        yield from nodes(premise)


def test_a_proof_has_its_rule_its_weights_and_asserted_leaves() -> None:
    def explain() -> Node:
        store(fact("ann", "parent", "bob", 0.5, '{"n":1}'), fact("bob", "parent", "cid"))
        run(program(GRANDPARENT))
        return explain_now(key("ann", "grandparent", "cid"))

    tree = in_orm(explain)
    assert outline(tree) == {"anngrandparentcid": ["annparentbob", "bobparentcid"]}
    assert (tree.row.weight, tree.rule) == (0.25, parse_rule(GRANDPARENT))
    assert isinstance(tree.row, InferredRow)
    assert (tree.row.depth, tree.row.rule) == (1, "grandparent")
    stored = in_orm(stored_rows)
    assert [premise.row for premise in tree.premises] == [
        stored["ann", "parent", "bob"],
        stored["bob", "parent", "cid"],
    ]
    assert [premise.rule for premise in tree.premises] == [None, None]


def chain(length: int) -> None:
    store(*(fact(chr(97 + step), "p", chr(98 + step)) for step in range(length)))
    run(program(TRANSITIVE))


def test_a_proof_goes_down_to_what_is_asserted() -> None:
    def explain() -> Node:
        chain(4)
        return explain_now(key("a", "p", "e"))

    assert outline(in_orm(explain)) == {"ape": [{"apc": ["apb", "bpc"]}, {"cpe": ["cpd", "dpe"]}]}


@pytest.mark.once
@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (1, {"ape": ["apc truncated", "cpe truncated"]}),
        (2, {"ape": [{"apc": ["apb", "bpc"]}, {"cpe": ["cpd", "dpe"]}]}),
    ],
)
def test_a_proof_is_cut_at_the_depth(depth: int, expected: object) -> None:
    def explain() -> Node:
        chain(4)
        return explain_now(key("a", "p", "e"), depth=depth)

    assert outline(in_orm(explain)) == expected


@pytest.mark.once
def test_a_proof_is_cut_where_it_gets_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanations, "MAX_NODES", 5)

    def explain() -> Node:
        chain(4)
        return explain_now(key("a", "p", "e"))

    tree = in_orm(explain)
    assert outline(tree) == {"ape": [{"apc": ["apb", "bpc"]}, "cpe truncated"]}
    assert len(list(nodes(tree))) == 5


@pytest.mark.once
def test_a_premise_that_is_shared_is_explained_once() -> None:
    """Each step uses the one before it twice: written out, the tree would have two to the power of 30 leaves."""

    def explain() -> Node:
        store(fact("a", "p0", "b"))
        steps = [
            {
                "name": f"step {n}",
                "head": ["?x", f"p{n + 1}", "?y"],
                "body": [["?x", f"p{n}", "?y"], ["?x", f"p{n}", "?y"]],
            }
            for n in range(30)
        ]
        run(program(*steps))
        return explain_now(key("a", "p30", "b"), depth=64)

    tree = in_orm(explain)
    found = list(nodes(tree))
    assert len(found) == 61
    assert [node.without for node in found].count("seen") == 29
    assert [text(node) for node in found if isinstance(node.row, Row)] == ["ap0b", "ap0b"]


@pytest.mark.once
def test_a_shared_premise_is_explained_where_it_stands_highest() -> None:
    def explain() -> Node:
        store(fact("a", "p", "b"))
        run(
            program(
                {"name": "1", "head": ["?x", "q", "?y"], "body": [["?x", "p", "?y"]]},
                {"name": "2", "head": ["?x", "r", "?y"], "body": [["?x", "q", "?y"]]},
                {"name": "3", "head": ["?x", "s", "?y"], "body": [["?x", "r", "?y"], ["?x", "q", "?y"]]},
            )
        )
        return explain_now(key("a", "s", "b"))

    assert outline(in_orm(explain)) == {"asb": [{"arb": ["aqb seen"]}, {"aqb": ["apb"]}]}


def test_many_free_values_are_read_back() -> None:
    def explain() -> Node:
        store(*(fact(*texts) for texts in ("apb", "bpc", "cpd", "dpe")))
        body = [["?v", "p", "?w"], ["?w", "p", "?x"], ["?x", "p", "?y"], ["?y", "p", "?z"]]
        run(program({"name": "long", "head": ["?z", "q", "q"], "body": body}))
        return explain_now(key("e", "q", "q"))

    assert outline(in_orm(explain)) == {"eqq": ["apb", "bpc", "cpd", "dpe"]}


def test_an_asserted_fact_is_its_own_proof() -> None:
    def explain() -> Node:
        store(fact("a", "p", "b", 0.5))
        row = stored_rows()["a", "p", "b"]
        return explain_now(Asserted(row.id, row.created_ms))

    tree = in_orm(explain)
    assert isinstance(tree.row, Row)
    assert (outline(tree), tree.row.weight, tree.rule) == ("apb", 0.5, None)


def test_a_premise_that_was_asserted_meanwhile_is_a_leaf() -> None:
    def explain() -> Node:
        chain(3)
        tree = explain_now(key("a", "p", "d"))
        assert outline(tree) == {"apd": ["apb", {"bpd": ["bpc", "cpd"]}]}
        store(fact("b", "p", "d", 0.5))
        return explain_now(key("a", "p", "d"))

    assert outline(in_orm(explain)) == {"apd": ["apb", "bpd"]}


@in_orm_thread
def test_what_is_not_shown_is_not_explained() -> None:
    chain(3)
    row = stored_rows()["a", "p", "b"]
    committed([Remove(row.id, row.created_ms)])
    for wanted in (
        key("a", "p", "d"),
        key("d", "p", "a"),
        Asserted(row.id, row.created_ms),
        Asserted(row.id + 1, 1),
    ):
        with pytest.raises(NoSuchFact):
            explain_now(wanted)
    assert outline(explain_now(key("b", "p", "d"))) == {"bpd": ["bpc", "cpd"]}


@in_orm_thread
def test_without_a_run_nothing_is_explained() -> None:
    store(fact("a", "p", "b"))
    with pytest.raises(NoSuchFact):
        explain_now(key("a", "p", "b"))


@in_orm_thread
def test_a_proof_whose_premise_was_removed_past_the_store_is_none() -> None:
    from triples.models import Triple

    chain(3)
    Triple.objects.filter(subject__text="a").delete()
    with pytest.raises(NoSuchFact):
        explain_now(key("a", "p", "d"))
