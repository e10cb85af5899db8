"""Rules as SQL, for people and for the engine."""

import duckdb
import pytest

from tests.triples.recursion.programming import X, Y, Z, program
from triples.patterns import Variable, free_variables
from triples.recursion.programs import BoundRule
from triples.recursion.sql import rule_sql, variants, weight_literal

GRANDPARENT = BoundRule(
    number=2,
    name="grand */ parent",
    weight=0.9,
    head=(X, 11, Z),
    body=((X, 10, Y), (Y, 10, Z)),
    distinct=((X, Z),),
    free=(Y,),
)


def test_a_rule_is_shown_with_a_variant_for_each_place_of_its_body() -> None:
    shown = rule_sql(GRANDPARENT, {10: "parent_of", 11: "/* odd */"})

    assert shown == (
        "-- grand * / parent\n"
        "SELECT f1.subject AS subject, 11 /* / * odd * / */ AS predicate, f2.object AS object,"
        " 0.9E0 * f1.weight * f2.weight AS weight, 2 AS rule, f1.object AS free1 /* ?y */\n"
        "FROM changed AS f1, known AS f2\n"
        "WHERE f1.predicate = 10 /* parent_of */ AND f2.subject = f1.object AND f2.predicate = 10 /* parent_of */"
        " AND f1.subject <> f2.object\n"
        "UNION ALL\n"
        "SELECT f1.subject AS subject, 11 /* / * odd * / */ AS predicate, f2.object AS object,"
        " 0.9E0 * f1.weight * f2.weight AS weight, 2 AS rule, f1.object AS free1 /* ?y */\n"
        "FROM earlier AS f1, changed AS f2\n"
        "WHERE f1.predicate = 10 /* parent_of */ AND f2.subject = f1.object AND f2.predicate = 10 /* parent_of */"
        " AND f1.subject <> f2.object"
    )


def test_what_is_shown_can_be_run() -> None:
    connection = duckdb.connect()
    facts = "(VALUES (1, 10, 2, 1e0), (2, 10, 3, 5e-1), (2, 10, 1, 1e0)) AS f(subject, predicate, object, weight)"
    for view, condition in [("known", "TRUE"), ("changed", "TRUE"), ("earlier", "FALSE")]:
        connection.execute(f"CREATE VIEW {view} AS SELECT * FROM {facts} WHERE {condition}")

    assert connection.execute(rule_sql(GRANDPARENT, {10: "parent\nof"})).fetchall() == [(1, 11, 3, 0.45, 2, 2)]


def test_a_body_without_constants_has_no_conditions() -> None:
    body = ((X, Y, Z),)
    rule = BoundRule(0, "turned", 1.0, (Z, Y, X), body, (), free_variables((Z, Y, X), body))

    assert rule_sql(rule).endswith("\nFROM changed AS f1")


def test_a_predicate_that_no_fact_has_is_looked_at() -> None:
    sub_property, turned = program(
        (1.0, (X, Z, Y), [(X, Variable("p"), Y), (Variable("p"), 7, Z)]), (1.0, (Y, Z, X), [(X, Z, Y)])
    ).rules

    assert rule_sql(sub_property).count("NOT EXISTS (SELECT 1 FROM unfit AS u WHERE u.id = f2.object)") == 2
    assert "unfit" not in rule_sql(turned)


def test_a_variant_is_left_out_when_no_fact_has_its_predicates() -> None:
    rule = program((1.0, (X, 3, Z), [(X, 1, Y), (Y, 2, Z)])).rules[0]
    first, second = variants(rule, lambda _rule, _values: "0 AS proof")

    assert first.can_find({1}, {1, 2})
    assert not first.can_find({2}, {1, 2})
    assert not first.can_find({1}, {1})
    assert second.can_find({2}, {1, 2})
    assert first.can_derive({3})
    assert not first.can_derive({1, 2})


def test_a_variable_stands_for_any_predicate() -> None:
    rule = program((1.0, (X, Variable("p"), Y), [(X, Variable("p"), Y)])).rules[0]
    (only,) = variants(rule, lambda _rule, _values: "0 AS proof")

    assert only.can_find({5}, {5})
    assert only.can_derive({5})


@pytest.mark.parametrize("weight", [1.0, 0.1, 1 / 3, 1e-5, 5e-324, 2.2250738585072014e-308, 0.30000000000000004])
def test_a_weight_is_read_back_bit_for_bit(weight: float) -> None:
    literal = weight_literal(weight)

    assert duckdb.connect().execute(f"SELECT {literal}, typeof({literal})").fetchall() == [(weight, "DOUBLE")]
