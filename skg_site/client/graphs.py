"""Conversion to and from the graphs of networkx, an extra: `pip install skg-client[networkx]`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from networkx import Graph, MultiDiGraph

# What names an edge is no attribute of it.
_ENDS = ("subject", "predicate", "object")


def graph_of_facts(facts: Iterable[Mapping[str, Any]]) -> "MultiDiGraph[str]":
    """A graph with an edge for each fact: its key is the predicate, and the rest of the fact its attributes."""
    import networkx as nx  # noqa: PLC0415  # an extra

    graph: MultiDiGraph[str] = nx.MultiDiGraph()
    for fact in facts:
        attributes = {name: value for name, value in fact.items() if name not in _ENDS}
        graph.add_edge(fact["subject"], fact["object"], key=fact["predicate"], **attributes)
    return graph


def facts_of_graph(graph: "Graph[Any]", *, predicate: str | None = None) -> Iterator[dict[str, Any]]:
    """The edges of a graph as facts for `add_many`, with their weights and metadata.

    The predicate is `predicate` or, without one, the key of the edge in a graph of several edges between two nodes, or
    the edge's attribute of that name. An edge without a direction is a fact in one of the two.
    """
    edges = graph.edges(keys=True, data=True) if graph.is_multigraph() else graph.edges(data=True)
    for start, end, *rest in edges:
        attributes: dict[str, Any] = rest[-1]
        name = predicate or attributes.get("predicate") or (rest[0] if len(rest) == 2 else None)
        fact = {"subject": str(start), "predicate": name, "object": str(end)}
        yield fact | {name: attributes[name] for name in ("weight", "metadata") if name in attributes}
