"""Questions as lines of text: what each line becomes, and what is said of a faulty one."""

from typing import Any

import pytest
from django.conf import settings

from triples.question_lines.answering import read_question
from triples.question_lines.faults import FaultyQuestion
from triples.question_lines.lines import read_lines, split_lines

WHOLE = """
?c colleague_of ?p

  ?p won "Nobel Prize"
optional ?p born_in ?b ?b lies_in ?l
absent ?p retired_in ?y
filter ?c != ?p
filter ?b in Ulm "New York" "?why"
filter ?l starts_with Eu
select ?c ?b
"optional" is_a word
"""


def test_each_line_becomes_what_its_first_word_says() -> None:
    document, _ = read_lines(split_lines(WHOLE))
    assert document == {
        "patterns": [["?c", "colleague_of", "?p"], ["?p", "won", "Nobel Prize"], ["optional", "is_a", "word"]],
        "optional": [[["?p", "born_in", "?b"], ["?b", "lies_in", "?l"]]],
        "absent": [["?p", "retired_in", "?y"]],
        "filter": [
            ["?c", "!=", "?p"],
            ["?b", "in", ["Ulm", "New York", {"term": "?why"}]],
            ["?l", "starts_with", "Eu"],
        ],
        "select": ["?c", "?b"],
    }
    assert len(read_question(document, {}).question.filters) == 3


PATTERN = "?c colleague_of ?p"
APART = "Line 3: shares no variable with the other patterns; `allow_cross_product` lets it match with every answer."


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["There is no pattern: write one at least, such as ?x knows ?y."]),
        ("select ?x", ["There is no pattern: write one at least, such as ?x knows ?y."]),
        ("\n?c colleague_of", ["Line 2: must have three places: subject, predicate and object; here are 2."]),
        (
            f'{PATTERN}\n?p won "Nobel\nabsent ?c "p"q ?p',
            [
                f"Line {number}: a quotation must end with a double quote before white space or the end of the line."
                for number in (2, 3)
            ],
        ),
        (f"{PATTERN}\nabsent", ["Line 2: must have three places: subject, predicate and object; here are 0."]),
        (
            f"{PATTERN}\noptional ?c p ?d ?d q",
            ["Line 2, pattern 2: must have three places: subject, predicate and object; here are 2."],
        ),
        (f"{PATTERN}\noptional ?c p ?d ?d q ''?", []),
        (f"{PATTERN}\n?c {'p' * 501} ?p", ["Line 2, predicate: must have at most 500 characters, not 501."]),
        (
            f"{PATTERN}\nfilter ?d != ?e",
            ["Line 2, left side: ?d is in no pattern.", "Line 2, right side: ?e is in no pattern."],
        ),
        (f"{PATTERN}\nfilter c != ?p", ["Line 2, left side: must be a variable."]),
        (
            f"{PATTERN}\nfilter ?c",
            ["Line 2: must be a list of three: a variable, an operator, and a variable or a value."],
        ),
        (f"{PATTERN}\nselect ?c\nselect ?z", ["Line 3: ?z is in no pattern."]),
        (f"{PATTERN}\nabsent ?u p ?v", ["Line 2: ?u, ?v: no pattern binds any of these."]),
        (
            f"\n{PATTERN}\n?u p ?v",
            [
                APART,
            ],
        ),
        (
            f'{PATTERN}\n?c p "\\u202e" more',
            ["Line 2: must have three places: subject, predicate and object; here are 4."],
        ),
    ],
)
def test_a_fault_names_its_line_and_place(text: str, sentences: list[str]) -> None:
    said: list[str] = []
    try:
        document, names = read_lines(split_lines(text))
        read_question(document, names)
    except FaultyQuestion as faulty:
        said = faulty.sentences
    assert said == sentences


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"k": 0}, "--k: input should be greater than or equal to 1."),
        (
            {"k": settings.ENV.max_results + 1},
            f"--k: input should be less than or equal to {settings.ENV.max_results}.",
        ),
        ({"select": ["?c", "?z"]}, "select 2: ?z is in no pattern."),
        ({"select": ["c"]}, "select 1: must be a variable."),
        ({"cursor": "00" * 16}, "cursor: this is the cursor of another question."),
        (
            {"group_by": ["?c"], "count": True},
            "count: cannot be asked for together with `group_by`, which answers all groups.",
        ),
        ({"more": 1}, "more: extra inputs are not permitted."),
    ],
)
def test_other_members_are_named_as_whoever_asks_knows_them(members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FaultyQuestion) as raised:
        read_question({"patterns": [["?c", "p", "?p"]], **members}, {("k",): "--k"})
    assert raised.value.sentences == [sentence]
