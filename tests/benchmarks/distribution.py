"""How a graph of a billion facts would lie on ten database servers: `python -m tests.benchmarks.distribution`.

Nothing is stored. The generator's law says how many facts each entity is expected to have; its most frequent entities
are put on servers one by one, and of the many others only the sum for each server is drawn. So the number of facts may
be any. What is counted: the balance of servers for each column to distribute by, how many servers a pattern asks, and
how many a new fact is written to.
"""

import argparse
from collections.abc import Callable, Sequence
from itertools import combinations
from math import sqrt
from random import Random
from typing import NamedTuple

from tests.benchmarks.generator import HUB_FACTS, HUBS, LITERAL_SHARE, PREDICATES, Graph

# Entities that are put on servers one by one.
_SINGLE = 200_000
PLACES = ("subject", "predicate", "object")
_LATENCY_SHARE = 0.99


class Balance(NamedTuple):
    """How the facts lie when they are distributed by one column."""

    place: str
    # Facts of the fullest server, and of the most frequent value, as shares of all.
    fullest: float
    most_frequent: float
    # The fullest server, as a multiple of the mean.
    skew: float


def entity_facts(graph: Graph, rank: int, share: float = 1.0) -> float:
    """The facts that an entity is expected to have in one place, by its rank. `share`: of the facts that have entities
    there."""
    return graph.facts * share * (sqrt((rank + 1) / graph.entities) - sqrt(rank / graph.entities))


def predicate_shares() -> list[float]:
    weights = [1 / (rank + 2) for rank in range(PREDICATES)]
    return [weight / sum(weights) for weight in weights]


def balance(graph: Graph, nodes: int, place: str, random: Random) -> Balance:
    loads = [0.0] * nodes
    if place == "predicate":
        shares = predicate_shares()
        singles, rest = [graph.facts * share for share in shares], 0.0
    else:
        share = 1.0 if place == "subject" else 1 - LITERAL_SHARE
        number = min(_SINGLE, graph.entities)
        hubs = [float(min(HUB_FACTS, graph.facts // 100))] * HUBS
        singles = [*hubs, *(entity_facts(graph, rank, share) for rank in range(number))]
        rest = max(graph.facts - sum(singles), 0.0)
    for facts in singles:
        loads[random.randrange(nodes)] += facts
    # Many small values even out: each has at most as many facts as the last of those above.
    deviation = sqrt(rest * (singles[-1] if rest else 0.0) / nodes)
    for node in range(nodes):
        loads[node] += random.gauss(rest / nodes, deviation) if rest else 0.0
    return Balance(place, max(loads) / graph.facts, max(singles) / graph.facts, max(loads) * nodes / sum(loads))


def asked_nodes(pattern: Sequence[str], places: Sequence[str], nodes: int) -> int:
    """The servers that a pattern asks: one if a column by which the facts are distributed is among its constants."""
    return 1 if any(place in pattern for place in places) else nodes


def written_nodes(nodes: int, copies: Sequence[str], random: Random, tries: int = 20_000) -> float:
    """The servers that a new fact is written to, on average: its terms lie by their texts, its copies by a column."""
    total = 0
    for _ in range(tries):
        terms = {place: random.randrange(nodes) for place in PLACES}
        # Ids are given in the order of time, so a column's place has nothing to do with its text's.
        facts = {random.randrange(nodes) for _ in copies}
        total += len({*terms.values(), *facts})
    return total / tries


def slowest_of(nodes: int) -> float:
    """How often a question that asks so many servers meets what one server does in a hundredth of its answers."""
    return 1 - _LATENCY_SHARE**nodes


def patterns() -> list[tuple[str, ...]]:
    return [places for size in (3, 2, 1, 0) for places in combinations(PLACES, size)]


def report(graph: Graph, nodes: int, seeds: int, say: Callable[[str], None]) -> None:
    say(f"{graph.facts:,} facts of {graph.entities:,} entities on {nodes} servers, {seeds} times\n")
    say("| distributed by | facts of the most frequent value | fullest server, of the mean: median | worst |")
    say("| --- | --- | --- | --- |")
    for place in PLACES:
        found = [balance(graph, nodes, place, Random(seed)) for seed in range(seeds)]
        skews = sorted(one.skew for one in found)
        most = found[0].most_frequent
        say(f"| {place} | {most:.4%} | {skews[len(skews) // 2]:.3f} | {skews[-1]:.3f} |")
    say("\n| constants of the pattern | by subject | by subject, and again by object |")
    say("| --- | --- | --- |")
    for pattern in patterns():
        asked = [asked_nodes(pattern, places, nodes) for places in (("subject",), ("subject", "object"))]
        say(f"| {', '.join(pattern) or 'none'} | {asked[0]} | {asked[1]} |")
    for copies in (("subject",), ("subject", "object")):
        say(f"\nA new fact, by {' and '.join(copies)}: {written_nodes(nodes, copies, Random(0)):.2f} servers")
    say(f"A question to all servers meets the slowest hundredth of one in {slowest_of(nodes):.1%} of cases")


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate a distributed graph of the generator's shape.")
    parser.add_argument("--facts", type=int, default=1_000_000_000, help="how many (default: %(default)s)")
    parser.add_argument("--nodes", type=int, default=10, help="servers (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=20, help="repetitions (default: %(default)s)")
    arguments = parser.parse_args()
    report(Graph(arguments.facts), arguments.nodes, arguments.seeds, print)


if __name__ == "__main__":
    main()
