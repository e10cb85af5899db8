"""The faults of questions, each with its place."""

import pytest

from triples.patterns import Variable
from triples.query.blocks import NO_TERM
from triples.query.filters import Filter
from triples.query.questions import Loc, Question, faults, with_ids

A, B, C, D = map(Variable, "abcd")


@pytest.mark.parametrize(
    "question",
    [
        Question(((A, "p", B), (B, "q", C))),
        Question(((A, "p", B), (C, "q", D), (B, "r", C))),
        Question((("x", "p", "y"), (A, "q", None))),
        Question(((A, "p", None),), optional=(((A, "q", B), (B, "r", C)), ((C, "s", D),)), select=(D,)),
        Question(((A, "p", None),), absent=((A, "q", B),), filters=(Filter(A, "in", ("x",)),)),
        Question(((A, "p", None),), absent=(("x", "q", "y"),), group_by=(A,)),
        Question(((A, "p", None), (B, "p", None)), absent=((C, "q", D),), allow_cross_product=True),
    ],
)
def test_sound_questions(question: Question[str]) -> None:
    assert faults(question) == []


@pytest.mark.parametrize(
    ("question", "locs"),
    [
        (Question(()), [("patterns",)]),
        (Question(((A, "p", B),) * 9), [("patterns",)]),
        (Question(((A, "p", B),), optional=((),)), [("optional", 0)]),
        (Question(((A, "p", B),), select=(A, C)), [("select", 1)]),
        (Question(((A, "p", B),), group_by=(C,)), [("group_by", 0)]),
        (
            Question(((A, "p", B),), filters=(Filter(A, "=", "x"), Filter(C, "<", D))),
            [("filter", 1, 0), ("filter", 1, 2)],
        ),
        # What is free in an absent pattern is bound nowhere.
        (Question(((A, "p", B),), absent=((A, "q", C),), select=(C,)), [("select", 0)]),
        (Question(((A, "p", B),), filters=(Filter(A, "in", "x"),)), [("filter", 0, 2)]),
        (Question(((A, "p", B),), filters=(Filter(A, "=", ("x",)),)), [("filter", 0, 2)]),
        (Question(((A, "p", B),), filters=(Filter(A, "like", "x"),)), [("filter", 0, 1)]),  # type: ignore[arg-type]
        (Question(((A, "p", None), (B, "p", None))), [("patterns", 1)]),
        (Question(((A, "p", B), (C, "q", D), (D, "r", C))), [("patterns", 1)]),
        (Question(((A, "p", None),), optional=(((B, "q", C),),)), [("optional", 0, 0)]),
        (Question(((A, "p", None),), absent=((B, "q", C),)), [("absent", 0)]),
    ],
)
def test_faults_are_named_by_their_place(question: Question[str], locs: list[Loc]) -> None:
    assert [loc for loc, _ in faults(question)] == locs


def test_a_constant_without_an_id_becomes_no_term() -> None:
    question = Question(((A, "p", "x"),), optional=(((A, "q", None),),), absent=(("x", "p", A),), min_weight=0.5)

    assert with_ids(question, {"p": 1, "x": 2}) == Question(
        ((A, 1, 2),), optional=(((A, NO_TERM, None),),), absent=((2, 1, A),), min_weight=0.5
    )
