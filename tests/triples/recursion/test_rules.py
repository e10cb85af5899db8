"""Rules as documents: what is read, what is refused and where, and how rules are shown."""

from typing import Any

import pytest

from triples.patterns import Variable
from triples.recursion.grammar import parse_rule
from triples.recursion.rules import Rule, RuleError, rule_document, rule_text

X, Y, Z = (Variable(name) for name in "xyz")
GRANDPARENT = {
    "name": "grandparent",
    "weight": 0.9,
    "head": ["?x", "grandparent_of", "?z"],
    "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
    "distinct": [["?x", "?z"]],
}


def changed(**members: Any) -> dict[str, Any]:
    return {**GRANDPARENT, **members}


def body_of(*pattern: Any) -> dict[str, Any]:
    return {"name": "odd", "head": ["a", "b", "c"], "body": [list(pattern)]}


def test_a_document_becomes_a_rule() -> None:
    assert parse_rule(GRANDPARENT) == Rule(
        name="grandparent",
        head=(X, "grandparent_of", Z),
        body=((X, "parent_of", Y), (Y, "parent_of", Z)),
        weight=0.9,
        distinct=((X, Z),),
    )


def test_free_variables_are_those_that_only_the_body_holds() -> None:
    assert parse_rule(GRANDPARENT).free == (Y,)


def test_weight_and_distinct_may_be_left_out() -> None:
    rule = parse_rule({"name": "near", "head": ["?y", "near", "?x"], "body": [["?x", "near", "?y"]]})

    assert (rule.weight, rule.distinct) == (1.0, ())


def test_texts_are_brought_into_shape_as_terms_are() -> None:
    rule = parse_rule(
        {
            "name": " cafe\u0301 ",
            "head": [" ?x ", "cafe\u0301", " b "],
            "body": [["?x", {"term": " ?why "}, "?e\u0301"]],
        }
    )

    assert (rule.name, rule.head) == ("café", (X, "café", "b"))
    assert rule.body == ((X, "?why", Variable("é")),)


def test_a_repeated_pair_counts_once() -> None:
    assert parse_rule(changed(distinct=[["?x", "?z"], ["?x", "?z"]])).distinct == ((X, Z),)


@pytest.mark.parametrize(
    "document",
    [
        GRANDPARENT,
        changed(weight=1, distinct=[]),
        body_of({"term": "?why"}, "a b", "?élan_2"),
        changed(head=["?x", "?y", {"term": "?x"}]),
        changed(body=[["?x", "p", "?z"]] * 8),
    ],
)
def test_a_rule_and_its_document_say_the_same(document: dict[str, Any]) -> None:
    rule = parse_rule(document)
    canonical = rule_document(rule)

    assert parse_rule(canonical) == rule
    assert rule_document(parse_rule(canonical)) == canonical
    assert ("distinct" in canonical, "weight" in canonical) == (bool(rule.distinct), True)


@pytest.mark.parametrize(
    ("document", "loc", "message"),
    [
        ([], (), "must be an object"),
        ("rule", (), "must be an object"),
        ({"head": GRANDPARENT["head"], "body": GRANDPARENT["body"]}, ("name",), "is missing"),
        ({"name": "x", "body": GRANDPARENT["body"]}, ("head",), "is missing"),
        ({"name": "x", "head": GRANDPARENT["head"]}, ("body",), "is missing"),
        (changed(wieght=1), ("wieght",), "is not known here"),
        (changed(name=3), ("name",), "must be a text"),
        (changed(name=" "), ("name",), "must not be empty"),
        (changed(name="a\nb"), ("name",), "must not contain the control character U+000A"),
        (changed(name="a" * 101), ("name",), "must have at most 100 characters, not 101"),
        (changed(weight=True), ("weight",), "must be a number"),
        (changed(weight="0.5"), ("weight",), "must be a number"),
        (changed(weight=None), ("weight",), "must be a number"),
        (changed(weight=0), ("weight",), "must be above 0 and at most 1"),
        (changed(weight=-0.5), ("weight",), "must be above 0 and at most 1"),
        (changed(weight=1.5), ("weight",), "must be above 0 and at most 1"),
        (changed(weight=10**400), ("weight",), "must be above 0 and at most 1"),
        (changed(weight=float("nan")), ("weight",), "must be above 0 and at most 1"),
        (changed(weight=float("inf")), ("weight",), "must be above 0 and at most 1"),
        (changed(head="?x near ?y"), ("head",), "must be a list of three places: subject, predicate and object"),
        (changed(head=["?x", "near"]), ("head",), "must have three places: subject, predicate and object; here are 2"),
        (changed(head=["?x", "near", "?w"]), ("head", 2), "the variable ?w must stand in the body too"),
        (changed(body={}), ("body",), "must be a list of patterns"),
        (changed(body=[]), ("body",), "must have 1 to 8 patterns, not 0"),
        (changed(body=[["?x", "p", "?z"]] * 9), ("body",), "must have 1 to 8 patterns, not 9"),
        (changed(body=[["?x", "p"]]), ("body", 0), "must have three places"),
        (body_of(1, "p", "o"), ("body", 0, 0), "must be a text, or"),
        (body_of(None, "p", "o"), ("body", 0, 0), "must be a text, or"),
        (body_of("", "p", "o"), ("body", 0, 0), "must not be empty"),
        (body_of("s" * 10_001, "p", "o"), ("body", 0, 0), "must have at most 10000 characters, not 10001"),
        (body_of("s", "p" * 501, "o"), ("body", 0, 1), "must have at most 500 characters, not 501"),
        (body_of("?" + "x" * 500, "p", "o"), ("body", 0, 0), "a variable must have at most 500 characters, not 501"),
        (body_of("s", "p", "o\x00"), ("body", 0, 2), "must not contain the control character U+0000"),
        (body_of("s", "p", "\ud800"), ("body", 0, 2), "must not contain the lone surrogate U+D800"),
        (body_of("?", "p", "o"), ("body", 0, 0), "the name of a variable consists of letters, digits and _"),
        (body_of("?a-b", "p", "o"), ("body", 0, 0), "the name of a variable consists of letters, digits and _"),
        (body_of("??", "p", "o"), ("body", 0, 0), "the name of a variable consists of letters, digits and _"),
        (body_of({}, "p", "o"), ("body", 0, 0, "term"), "is missing"),
        (body_of({"term": 1}, "p", "o"), ("body", 0, 0, "term"), "must be a text"),
        (body_of({"term": ""}, "p", "o"), ("body", 0, 0, "term"), "must not be empty"),
        (body_of({"term": "a", "text": "b"}, "p", "o"), ("body", 0, 0, "text"), "is not known here"),
        (changed(distinct="?x ?z"), ("distinct",), "must be a list of pairs of variables"),
        (changed(distinct=["?x", "?z"]), ("distinct", 0), "must be a pair of variables"),
        (changed(distinct=[["?x"]]), ("distinct", 0), "must be a pair of variables"),
        (changed(distinct=[["?x", "?w"]]), ("distinct", 0, 1), "the variable ?w must stand in the body"),
        (changed(distinct=[["?x", "rome"]]), ("distinct", 0, 1), "must be a variable"),
        (changed(distinct=[["?x", "?x"]]), ("distinct", 0), "?x never differs from itself"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    document: Any, loc: tuple[str | int, ...], message: str
) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(document)

    assert caught.value.loc == loc
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (GRANDPARENT, "?x grandparent_of ?z  <-  ?x parent_of ?y, ?y parent_of ?z  (0.9, ?x != ?z)"),
        (changed(weight=1, distinct=[]), "?x grandparent_of ?z  <-  ?x parent_of ?y, ?y parent_of ?z"),
        (body_of("?x", "born in", {"term": "?why"}), 'a b c  <-  ?x "born in" "?why"'),
        (body_of("?x", "dog.n.01", 'say "no"'), 'a b c  <-  ?x dog.n.01 "say \\"no\\""'),
    ],
)
def test_a_rule_is_shown_on_one_line(document: dict[str, Any], text: str) -> None:
    assert rule_text(parse_rule(document)) == text
