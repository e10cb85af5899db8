from hypothesis import given

from tests.triples.recursion.oracle import evaluate
from tests.triples.recursion.strategies import facts, programs
from triples.patterns import Variable, unification
from triples.recursion.programs import BoundRule, Key, Program
from triples.recursion.uses import uses

X, Y, Z, P = (Variable(name) for name in "xyzp")

GRANDPARENT = BoundRule(0, "grandparent", 0.9, (X, 8, Z), ((X, 7, Y), (Y, 7, Z)), (), (Y,))


def test_premises_stand_in_the_order_of_the_body() -> None:
    assert GRANDPARENT.premises(Key(1, 8, 3), (2,)) == [Key(1, 7, 2), Key(2, 7, 3)]


def test_premises_of_a_head_that_holds_all() -> None:
    symmetric = BoundRule(0, "symmetric", 1.0, (Y, P, X), ((X, P, Y),), (), ())
    assert symmetric.premises(Key(1, 7, 2), ()) == [Key(2, 7, 1)]


def test_a_fact_tells_what_it_can_of_the_proofs_that_use_it() -> None:
    first, second = uses(Program((GRANDPARENT,)))
    assert (first.place, second.place) == (0, 1)
    assert first.match(Key(1, 7, 2)) == ((1, 8, None), (2,))
    assert second.match(Key(1, 7, 2)) == ((None, 8, 2), (1,))
    assert first.match(Key(1, 8, 2)) is None


def test_a_fact_must_hold_twice_what_the_pattern_names_twice() -> None:
    rule = BoundRule(0, "reflexive", 1.0, (X, 8, X), ((X, P, X), (Y, 7, Z)), (), (P, Y, Z))
    first, second = uses(Program((rule,)))
    assert first.match(Key(1, 5, 1)) == ((1, 8, 1), (5, None, None))
    assert first.match(Key(1, 5, 2)) is None
    assert second.match(Key(1, 7, 2)) == ((None, 8, None), (None, 1, 2))
    assert unification((X, X, X)) == ((), ((0, 1), (0, 2)))


@given(facts(), programs())
def test_each_premise_of_a_proof_leads_back_to_it(asserted: dict[Key, float], program: Program) -> None:
    derived = evaluate(asserted, program)
    known = uses(program)
    for head, proof in derived.items():
        rule = program.rules[proof.rule]
        found = rule.premises(head, proof.free)
        assert all(premise in asserted or premise in derived for premise in found)
        for place, premise in enumerate(found):
            (use,) = (use for use in known if (use.rule, use.place) == (rule.number, place))
            match = use.match(premise)
            assert match is not None
            for pattern, actual in zip(match, (head, proof.free), strict=True):
                assert all(term in {None, value} for term, value in zip(pattern, actual, strict=True))
