"""Facts to and from pandas and networkx."""

import networkx as nx
import pandas as pd

from skg_site.client.frames import facts_of_frame, frame_of_answers, frame_of_facts
from skg_site.client.graphs import facts_of_graph, graph_of_facts
from skg_site.client.question_answers import Answers

FACTS = [
    {"subject": "a", "predicate": "p", "object": "b", "weight": 0.5, "metadata": {"n": 1}},
    {"subject": "a", "predicate": "q", "object": "b", "weight": 1.0, "metadata": {}},
]


def test_a_graph_and_back() -> None:
    graph = graph_of_facts(FACTS)
    assert sorted(graph.edges(keys=True)) == [("a", "b", "p"), ("a", "b", "q")]
    assert graph["a"]["b"]["p"] == {"weight": 0.5, "metadata": {"n": 1}}
    assert list(facts_of_graph(graph)) == FACTS


def test_a_plain_graph_needs_a_predicate() -> None:
    graph = nx.Graph([(1, 2, {"weight": 0.5}), (2, 3, {"predicate": "knows"})])
    assert list(facts_of_graph(graph, predicate="near")) == [
        {"subject": "1", "predicate": "near", "object": "2", "weight": 0.5},
        {"subject": "2", "predicate": "near", "object": "3"},
    ]
    assert [fact["predicate"] for fact in facts_of_graph(graph)] == [None, "knows"]


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
