"""The questions of `tests.benchmarks.shapes` over HTTP, beside Oxigraph's own server."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from statistics import median
from time import perf_counter

import httpx

from tests.benchmarks import peers
from tests.benchmarks.graphs import graph_name
from tests.benchmarks.report import Cell, Section, Settings, Table
from tests.benchmarks.servers import running, service
from tests.benchmarks.shape_questions import LIMIT, SHAPES, Answers, Drawn, compare, iri, names, sparql
from tests.benchmarks.shapes import TARGET, Shaped, shaped
from tests.support.service import KEY

LONGEST_SECONDS = 60
# Facts in one request.
_PART = 10_000

Ask = Callable[[Drawn], httpx.Response]


def run(settings: Settings) -> Section:
    theirs = peers.oxigraph(settings)
    graph = shaped(settings)
    ours = service(settings.folder / "service")
    # Both are there, and one of them works at a time.
    with running(ours), running(theirs):
        _fill(theirs.url, graph)
        bearer = {"Authorization": f"Bearer {KEY}"}
        with (
            httpx.Client(base_url=ours.url, headers=bearer, timeout=LONGEST_SECONDS) as to_us,
            httpx.Client(base_url=theirs.url, headers=_SPARQL, timeout=LONGEST_SECONDS) as to_them,
        ):
            asking: Sequence[Ask] = (
                lambda drawn: to_us.post("/query/patterns", json={"patterns": _patterns(drawn), "k": LIMIT}),
                lambda drawn: to_them.post("/query", content=sparql(drawn)),
            )
            times = {shape: _times(asking, drawn, settings.rounds) for shape, drawn in graph.questions.items()}
    return _section(settings, len(graph.facts), times, [ours.shown, theirs.shown])


_SPARQL = {"Content-Type": "application/sparql-query", "Accept": "application/sparql-results+json"}


def _fill(url: str, graph: Shaped) -> None:
    with httpx.Client(base_url=url, timeout=LONGEST_SECONDS, headers={"Content-Type": "application/n-triples"}) as to:
        for first in range(0, len(graph.facts), _PART):
            lines = [" ".join(f"<{iri(term)}>" for term in fact) for fact in graph.facts[first : first + _PART]]
            to.post("/store?default", content="".join(f"{line} .\n" for line in lines)).raise_for_status()


def _patterns(drawn: Drawn) -> list[list[str]]:
    return [[f"?{one}", predicate, f"?{other}"] for one, predicate, other in drawn]


def _times(asking: Sequence[Ask], questions: Sequence[Drawn], rounds: int) -> list[list[float]]:
    """The least seconds that each question took each server; all are asked in turn."""
    least = [[inf] * len(questions) for _ in asking]
    for number, question in [*enumerate(questions)] * rounds:
        answers: list[httpx.Response] = []
        for taken, ask in zip(least, asking, strict=True):
            begin = perf_counter()
            answers.append(ask(question).raise_for_status())
            taken[number] = min(taken[number], perf_counter() - begin)
        ours, theirs = answers
        compare(question, _ours(question, ours), _theirs(question, theirs))
    return least


def _ours(drawn: Drawn, answer: httpx.Response) -> Answers:
    content = answer.json()
    assert "complete_above" not in content, drawn
    return [[result["bindings"][f"?{name}"] for name in names(drawn)] for result in content["results"]]


def _theirs(drawn: Drawn, answer: httpx.Response) -> Answers:
    return [[row[name]["value"] for name in names(drawn)] for row in answer.json()["results"]["bindings"]]


def _section(
    settings: Settings, facts: int, times: Mapping[str, list[list[float]]], commands: Sequence[str]
) -> Section:
    rows: list[list[Cell]] = []
    sums = [0.0, 0.0]
    for shape, taken in times.items():
        # The graph may have no question of this shape.
        if not taken[0]:
            continue
        medians = [median(one) * 1000 for one in taken]
        sums = [total + one for total, one in zip(sums, medians, strict=True)]
        rows.append([f"{shape}: {', '.join(SHAPES[shape])}", len(taken[0]), *medians, medians[0] / medians[1]])
    ours, theirs = sums
    rows.append(["sum", sum(len(taken[0]) for taken in times.values()), ours, theirs, ours / theirs])
    reached = ours <= TARGET * theirs
    return Section(
        "Shapes of questions over HTTP",
        f"Questions of patterns whose constants are predicates, drawn from {graph_name(settings)}, which has {facts:,}"
        f" facts, without weights. The first {LIMIT:,} answers with names as JSON, from one worker of the service,"
        " on SQLite, and from Oxigraph's server, both on one processor; a client asks each in turn on one connection"
        f" from another processor. The least time of {settings.rounds} rounds for each question, medians for each"
        " shape. Both found as many answers, and the same where these were all; the service's alone are the first in"
        " an order, and have weights. The target for the sum is at most"
        f" {TARGET:g} of Oxigraph's: {'reached' if reached else '**not reached**'}.",
        [Table(("shape", "questions", "SKG API, ms", "Oxigraph, ms", "of Oxigraph's"), rows)],
        commands=commands,
    )
