"""Shorthands and the rule files that come with the service."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.triples.recursion.deriving import materialise
from tests.triples.recursion.tables import fact_table, proofs_in
from triples.recursion import presets
from triples.recursion.grammar import parse_rule
from triples.recursion.programs import Key, Program, bind, constants
from triples.recursion.rules import Rule, RuleError, rule_document, rule_text
from triples.recursion.shorthands import expand, expand_all

Texts = tuple[str, str, str]


def derived(rules: list[Rule], *asserted: Texts) -> set[Texts]:
    """What the rules derive from facts of weight 1, in texts."""
    named = {text for rule in rules for text in constants(rule)}
    texts = sorted({*named, *(text for fact in asserted for text in fact)})
    ids = {text: number for number, text in enumerate(texts, start=1)}
    program: Program = bind(rules, ids)
    facts = {Key(*(ids[text] for text in fact)): 1.0 for fact in asserted}
    result = materialise(fact_table(facts), program)
    return {(texts[s - 1], texts[p - 1], texts[o - 1]) for s, p, o in proofs_in(result.derived)}


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        ({"transitive": "before"}, {"transitive-before": "?x before ?z  <-  ?x before ?y, ?y before ?z"}),
        ({"symmetric": "near", "weight": 0.9}, {"symmetric-near": "?y near ?x  <-  ?x near ?y  (0.9)"}),
        (
            {"inverse": ["parent_of", "child_of"]},
            {
                "inverse-parent_of-child_of": "?y child_of ?x  <-  ?x parent_of ?y",
                "inverse-child_of-parent_of": "?y parent_of ?x  <-  ?x child_of ?y",
            },
        ),
        (
            {"inverse": ["parent_of", "child_of"], "name": "family"},
            {
                "family": "?y child_of ?x  <-  ?x parent_of ?y",
                "family-2": "?y parent_of ?x  <-  ?x child_of ?y",
            },
        ),
        (
            {"sub_property": ["mother_of", "parent_of"], "name": "mothers"},
            {"mothers": "?x parent_of ?y  <-  ?x mother_of ?y"},
        ),
        (
            {"chain": ["parent_of", "brother_of"], "gives": "has_uncle"},
            {
                "chain-parent_of-brother_of-gives-has_uncle": (
                    "?x0 has_uncle ?x2  <-  ?x0 parent_of ?x1, ?x1 brother_of ?x2"
                )
            },
        ),
        (
            {"type_inheritance": ["is_a", "subclass_of"]},
            {"type-inheritance-is_a-subclass_of": "?x is_a ?z  <-  ?x is_a ?y, ?y subclass_of ?z"},
        ),
        ({"domain": ["teaches", "teacher"]}, {"domain-teaches-teacher": "?x is_a teacher  <-  ?x teaches ?y"}),
        (
            {"range": ["teaches", "course"], "type": "type"},
            {"range-teaches-course": "?y type course  <-  ?x teaches ?y"},
        ),
        (
            {"name": "own", "head": ["?x", "knows", "?x"], "body": [["?x", "is", "wise"]]},
            {"own": "?x knows ?x  <-  ?x is wise"},
        ),
    ],
)
def test_a_document_stands_for_ordinary_rules(document: dict[str, Any], rules: dict[str, str]) -> None:
    expanded = expand(document)

    assert {rule.name: rule_text(rule) for rule in expanded} == rules
    assert [parse_rule(rule_document(rule)) for rule in expanded] == expanded


@pytest.mark.parametrize(
    ("document", "loc", "message"),
    [
        ("transitive", (), "must be an object"),
        ({}, ("name",), "is missing"),
        ({"transitive": "a", "symmetric": "a"}, ("symmetric",), "cannot stand beside transitive"),
        ({"transitive": "a", "head": []}, ("head",), "is not known here"),
        ({"transitive": ["a"]}, ("transitive",), "must be a text"),
        ({"transitive": ""}, ("transitive",), "must not be empty"),
        ({"transitive": "a" * 501}, ("transitive",), "must have at most 500 characters, not 501"),
        ({"transitive": "a" * 100}, ("name",), "must be given and short: transitive-aaa"),
        ({"transitive": "a", "name": 1}, ("name",), "must be a text"),
        ({"transitive": "a", "weight": 2}, ("weight",), "must be above 0 and at most 1"),
        ({"inverse": "a"}, ("inverse",), "must be a list of texts"),
        ({"inverse": ["a"]}, ("inverse",), "must be a pair of texts"),
        ({"inverse": ["a", 1]}, ("inverse", 1), "must be a text"),
        ({"inverse": ["a", "a"]}, ("inverse",), "must be two predicates; a as its own inverse is symmetric"),
        ({"chain": ["a", "b"]}, ("gives",), "is missing"),
        ({"chain": ["a"], "gives": "b"}, ("chain",), "must be a list of 2 to 8 predicates"),
        ({"chain": ["a"] * 9, "gives": "b"}, ("chain",), "must be a list of 2 to 8 predicates"),
        ({"domain": ["p" * 501, "c"]}, ("domain", 0), "must have at most 500 characters, not 501"),
        ({"range": ["p", "c"], "type": None}, ("type",), "must be a text"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    document: Any, loc: tuple[str | int, ...], message: str
) -> None:
    with pytest.raises(RuleError) as caught:
        expand(document)

    assert caught.value.loc == loc
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("documents", "loc", "message"),
    [
        ({"transitive": "a"}, (), "must be a list of rules"),
        ([{"transitive": "a"}, {"transitive": 1}], (1, "transitive"), "must be a text"),
        ([{"transitive": "a"}, {"transitive": "a"}], (1, "name"), "two rules have the name transitive-a"),
    ],
)
def test_a_file_is_refused_with_the_place_in_it(documents: Any, loc: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(RuleError) as caught:
        expand_all(documents)

    assert (caught.value.loc, str(caught.value)) == (loc, message)


def test_the_presets_are_the_files_and_hold_valid_rules() -> None:
    folder = Path(presets.__file__).parent / "presets"

    assert presets.names() == ["hierarchy", "owl", "rdfs"] == sorted(file.stem for file in folder.iterdir())
    for name in presets.names():
        rules = presets.load(name)
        assert [parse_rule(json.loads(json.dumps(rule_document(rule)))) for rule in rules] == rules


@pytest.mark.parametrize("name", ["", "rdf", "../presets", "rdfs.json"])
def test_there_is_no_other_preset(name: str) -> None:
    with pytest.raises(KeyError):
        presets.load(name)


def test_rdfs_types_what_properties_join_and_widens_properties_and_classes() -> None:
    facts = derived(
        presets.load("rdfs"),
        ("teaches", "rdfs:domain", "Teacher"),
        ("teaches", "rdfs:range", "Course"),
        ("teaches", "rdfs:subPropertyOf", "knows"),
        ("knows", "rdfs:subPropertyOf", "meets"),
        ("Teacher", "rdfs:subClassOf", "Person"),
        ("Person", "rdfs:subClassOf", "Being"),
        ("ada", "teaches", "algebra"),
        ("rdf:_1", "rdf:type", "rdfs:ContainerMembershipProperty"),
        ("length", "rdf:type", "rdfs:Datatype"),
    )

    assert facts == {
        ("teaches", "rdfs:subPropertyOf", "meets"),
        ("Teacher", "rdfs:subClassOf", "Being"),
        ("ada", "rdf:type", "Teacher"),
        ("ada", "rdf:type", "Person"),
        ("ada", "rdf:type", "Being"),
        ("algebra", "rdf:type", "Course"),
        ("ada", "knows", "algebra"),
        ("ada", "meets", "algebra"),
        ("rdf:_1", "rdfs:subPropertyOf", "rdfs:member"),
        ("length", "rdfs:subClassOf", "rdfs:Literal"),
    }


@pytest.mark.parametrize(
    ("asserted", "expected"),
    [
        (
            [("near", "rdf:type", "owl:SymmetricProperty"), ("a", "near", "b")],
            {("b", "near", "a")},
        ),
        (
            [("in", "rdf:type", "owl:TransitiveProperty"), ("a", "in", "b"), ("b", "in", "c"), ("c", "in", "d")],
            {("a", "in", "c"), ("b", "in", "d"), ("a", "in", "d")},
        ),
        (
            [("parent", "owl:inverseOf", "child"), ("a", "parent", "b"), ("c", "child", "d")],
            {("b", "child", "a"), ("d", "parent", "c")},
        ),
        (
            [("teaches", "rdfs:domain", "Teacher"), ("teaches", "rdfs:range", "Course"), ("ann", "teaches", "maths")],
            {("ann", "rdf:type", "Teacher"), ("maths", "rdf:type", "Course")},
        ),
        (
            [("mother", "owl:equivalentProperty", "mum"), ("a", "mum", "b")],
            {
                ("mother", "rdfs:subPropertyOf", "mum"),
                ("mum", "rdfs:subPropertyOf", "mother"),
                ("mother", "rdfs:subPropertyOf", "mother"),
                ("mum", "rdfs:subPropertyOf", "mum"),
                ("a", "mother", "b"),
            },
        ),
        (
            [("Human", "owl:equivalentClass", "Person"), ("ada", "rdf:type", "Human")],
            {
                ("Human", "rdfs:subClassOf", "Person"),
                ("Person", "rdfs:subClassOf", "Human"),
                ("Human", "rdfs:subClassOf", "Human"),
                ("Person", "rdfs:subClassOf", "Person"),
                ("ada", "rdf:type", "Person"),
            },
        ),
        (
            [
                ("uncle", "owl:propertyChainAxiom", "l1"),
                ("l1", "rdf:first", "parent"),
                ("l1", "rdf:rest", "l2"),
                ("l2", "rdf:first", "brother"),
                ("l2", "rdf:rest", "rdf:nil"),
                ("a", "parent", "b"),
                ("b", "brother", "c"),
                ("c", "brother", "d"),
            ],
            {("a", "uncle", "c")},
        ),
    ],
    ids=["symmetric", "transitive", "inverse", "domain and range", "equivalent property", "equivalent class", "chain"],
)
def test_owl_rules_derive_what_owl_says(asserted: list[Texts], expected: set[Texts]) -> None:
    assert derived(presets.load("owl"), *asserted) == expected


def test_hierarchy_joins_kinds_and_parts() -> None:
    facts = derived(
        presets.load("hierarchy"),
        ("rex", "is_a", "dog"),
        ("dog", "subclass_of", "mammal"),
        ("mammal", "subclass_of", "animal"),
        ("paw", "part_of", "leg"),
        ("leg", "part_of", "mammal body"),
        ("museum", "located_in", "paris"),
        ("paris", "part_of", "france"),
    )

    assert facts >= {
        ("dog", "subclass_of", "animal"),
        ("rex", "is_a", "animal"),
        ("paw", "part_of", "mammal body"),
        ("mammal body", "has_part", "paw"),
        ("museum", "located_in", "france"),
    }
