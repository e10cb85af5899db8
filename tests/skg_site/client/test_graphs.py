"""Facts to and from networkx."""

import networkx as nx

from skg_site.client.graphs import facts_of_graph, graph_of_facts

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
