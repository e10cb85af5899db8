"""The questions of `tests.benchmarks.shapes` over HTTP, beside Oxigraph's own server."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import httpx
import orjson

from tests.benchmarks import peers
from tests.benchmarks.graphs import graph_name
from tests.benchmarks.report import Cell, Section, Settings, Table
from tests.benchmarks.servers import running, service
from tests.benchmarks.shape_questions import LIMIT, SHAPES, Answers, Drawn, compare, names, sparql
from tests.benchmarks.shapes import TARGET, shaped
from tests.support.service import KEY

LONGEST_SECONDS = 60

# The terms of the answers; None if the server's time was over.
Read = Callable[[Drawn, httpx.Response], Answers | None]


class Peer(NamedTuple):
    ask: Callable[[Drawn], httpx.Response]
    read: Read


class Taken(NamedTuple):
    """The least seconds that each question took a server, and the numbers of those that it gave up."""

    seconds: list[float]
    given_up: set[int]


def run(settings: Settings) -> Section:
    theirs = peers.oxigraph(settings)
    graph = shaped(settings)
    ours = service(settings.folder / "service")
    # Both are there, and one of them works at a time.
    with running(ours), running(theirs):
        peers.store_triples(theirs.url, graph.facts)
        bearer = {"Authorization": f"Bearer {KEY}"}
        with (
            httpx.Client(base_url=ours.url, headers=bearer, timeout=LONGEST_SECONDS) as to_us,
            httpx.Client(base_url=theirs.url, headers=_SPARQL, timeout=LONGEST_SECONDS) as to_them,
        ):
            us = Peer(lambda drawn: to_us.post("/query/patterns", json=_body(drawn)), _ours)
            them = Peer(lambda drawn: to_them.post("/query", content=sparql(drawn)), _theirs)
            times = {shape: _times(us, them, drawn, settings.rounds) for shape, drawn in graph.questions.items()}
    return _section(settings, len(graph.facts), times, [ours.shown, theirs.shown])


_COLUMNS = (
    *("shape", "questions", "SKG API, ms", "Oxigraph, ms", "of Oxigraph's"),
    *("SKG API gave up", "Oxigraph gave up"),
)
_SPARQL = {"Content-Type": "application/sparql-query", "Accept": "application/sparql-results+json"}


def _body(drawn: Drawn) -> dict[str, Any]:
    return {"patterns": [[f"?{one}", predicate, f"?{other}"] for one, predicate, other in drawn], "k": LIMIT}


def _times(us: Peer, them: Peer, questions: Sequence[Drawn], rounds: int) -> tuple[Taken, Taken]:
    """What each took of us, and of them; all are asked in turn. What a server gives up, it is not asked again."""
    taken = (Taken([inf] * len(questions), set()), Taken([inf] * len(questions), set()))
    for number, question in [*enumerate(questions)] * rounds:
        found: list[Answers] = []
        for peer, (seconds, given_up) in zip((us, them), taken, strict=True):
            if number in given_up:
                continue
            begin = perf_counter()
            answer = peer.ask(question)
            seconds[number] = min(seconds[number], perf_counter() - begin)
            if (answers := peer.read(question, answer)) is None:
                given_up.add(number)
            else:
                found.append(answers)
        compare(question, *found)
    return taken


def _ours(drawn: Drawn, answer: httpx.Response) -> Answers | None:
    content = answer.raise_for_status().json()
    if "complete_above" in content:
        return None
    return [[result["bindings"][f"?{name}"] for name in names(drawn)] for result in content["results"]]


def _theirs(drawn: Drawn, answer: httpx.Response) -> Answers | None:
    try:
        content = orjson.loads(answer.content)
    except ValueError:
        # It ends in the middle, or is an error as a text.
        return None
    return [[row[name]["value"] for name in names(drawn)] for row in content["results"]["bindings"]]


def _section(
    settings: Settings, facts: int, times: Mapping[str, tuple[Taken, Taken]], commands: Sequence[str]
) -> Section:
    rows: list[list[Cell]] = []
    sums, given_up = [0.0, 0.0], [0, 0]
    for shape, taken in times.items():
        number = len(taken[0].seconds)
        # The graph may have no question of this shape.
        if not number:
            continue
        medians = [median(one.seconds) * 1000 for one in taken]
        ended = [len(one.given_up) for one in taken]
        sums = [total + one for total, one in zip(sums, medians, strict=True)]
        given_up = [total + one for total, one in zip(given_up, ended, strict=True)]
        rows.append([f"{shape}: {', '.join(SHAPES[shape])}", number, *medians, medians[0] / medians[1], *ended])
    asked = sum(len(taken[0].seconds) for taken in times.values())
    ours, theirs = sums
    rows.append(["sum", asked, ours, theirs, ours / theirs, *given_up])
    reached = ours <= TARGET * theirs
    return Section(
        "Shapes of questions over HTTP",
        f"Questions of patterns whose constants are predicates, drawn from {graph_name(settings)}, which has {facts:,}"
        f" facts, without weights. The first {LIMIT:,} answers with names as JSON, from one worker of the service,"
        " on SQLite, and from Oxigraph's server, both on one processor; a client asks each in turn on one connection"
        f" from another processor. The least time of {settings.rounds} rounds for each question, medians for each"
        " shape. Both found as many answers, and the same where these were all; the service's alone are the first in"
        f" an order, and have weights. Either gives up after {peers.QUERY_SECONDS} s. The target for the sum is at most"
        f" {TARGET:g} of Oxigraph's: {'reached' if reached else '**not reached**'}.",
        [Table(_COLUMNS, rows)],
        commands=commands,
    )
