"""Facts and answers to and from pandas."""

import pandas as pd

from skg_site.client.frames import facts_of_frame, frame_of_answers, frame_of_facts
from skg_site.client.question_answers import Answers
from tests.skg_site.client.test_graphs import FACTS


def test_a_frame_and_back() -> None:
    assert list(facts_of_frame(frame_of_facts(FACTS))) == FACTS
    frame = pd.DataFrame({"source": ["a", "b"], "predicate": ["p", "q"], "object": [1, None], "weight": [0.5, None]})
    assert list(facts_of_frame(frame, subject="source")) == [
        {"subject": "a", "predicate": "p", "object": "1.0", "weight": 0.5},
        {"subject": "b", "predicate": "q"},
    ]
    answers: Answers = {
        "variables": ["?x", "?y"],
        "results": [{"bindings": {"?x": "a", "?y": None}, "weight": 0.5}],
        "next_cursor": None,
        "query_time_ms": 0,
    }
    assert frame_of_answers(answers).to_dict("records") == [{"x": "a", "y": None, "weight": 0.5}]
