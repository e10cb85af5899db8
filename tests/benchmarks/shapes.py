"""Questions without weights, of the 17 shapes of the Wikidata graph pattern benchmark, beside Oxigraph and DuckDB.

`python -m tests.benchmarks.shapes GRAPH.tsv.xz` measures it alone; more than one graph may be given.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import orjson

from tests.benchmarks.graphs import commanded, fresh_database, graph_file, graph_name
from tests.benchmarks.report import Cell, Section, Settings, Table
from tests.benchmarks.shape_questions import SHAPES, Drawn, drawn
from tests.support.environment import process_environment
from tests.support.processes import run_python

QUESTIONS, QUICK_QUESTIONS = 50, 3
SEED = 6
TARGET = 1.0
LONGEST_SECONDS = 7_200
# The names by which `shape_times` tells the times.
OURS, OXIGRAPH, DUCKDB = "skg", "oxigraph", "duckdb"


class Shaped(NamedTuple):
    """The different facts of a graph, without weights, in a file and in a database of the service; and questions."""

    facts: Sequence[Sequence[str]]
    file: Path
    variables: Mapping[str, str]
    questions: Mapping[str, Sequence[Drawn]]


def shaped(settings: Settings) -> Shaped:
    facts = list(_facts(graph_file(settings)))
    file = settings.folder / "unweighted.tsv"
    file.write_text("".join("\t".join(fact) + "\n" for fact in facts), encoding="utf-8")
    variables = fresh_database(settings.folder / "service")
    commanded(variables, "import_triples", str(file))
    return Shaped(facts, file, variables, drawn(facts, QUICK_QUESTIONS if settings.quick else QUESTIONS, SEED))


def run(settings: Settings) -> Section:
    graph = shaped(settings)
    asked = settings.folder / "questions.json"
    asked.write_bytes(orjson.dumps(graph.questions))
    ended = run_python(
        ["-m", "tests.benchmarks.shape_times", str(graph.file), str(asked), str(settings.rounds)],
        env=process_environment(graph.variables),
        timeout=LONGEST_SECONDS,
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr.decode()[-2000:])
    return _section(settings, len(graph.facts), orjson.loads(ended.stdout))


def _facts(file: Path) -> Iterator[tuple[str, ...]]:
    """The different facts, without weights."""
    with file.open(encoding="utf-8") as lines:
        yield from dict.fromkeys(tuple(line.rstrip("\n").split("\t")[:3]) for line in lines)


def _section(settings: Settings, facts: int, times: Mapping[str, Any]) -> Section:
    rows: list[list[Cell]] = []
    sums = dict.fromkeys((OURS, OXIGRAPH, DUCKDB), 0.0)
    for shape, taken in times.items():
        # The graph may have no question of this shape.
        if not taken[OURS]:
            continue
        medians = {name: median(taken[name]) * 1000 for name in sums}
        sums = {name: sums[name] + medians[name] for name in sums}
        rows.append([f"{shape}: {', '.join(SHAPES[shape])}", len(taken[OURS]), *_compared(medians), taken["given up"]])
    asked = sum(len(taken[OURS]) for taken in times.values())
    given_up = sum(taken["given up"] for taken in times.values())
    rows.append(["sum", asked, *_compared(sums), given_up])
    reached = sums[OURS] <= TARGET * sums[OXIGRAPH]
    lead = (
        f"Questions of patterns whose constants are predicates, drawn from {graph_name(settings)}, which has {facts:,}"
        " facts, without weights. The first 1,000 answers with their names, in one process and from one thread, on"
        f" SQLite, by pyoxigraph in memory and by DuckDB in memory; the least processor time of {settings.rounds}"
        " rounds for each question, medians for each shape. All found as many answers, and the same where these were"
        " all; the service's alone are the first in an order. DuckDB gives up a question that takes it more than a"
        " second or 500 MB. The target for the sum is at most"
        f" {TARGET:g} of Oxigraph's: {'reached' if reached else '**not reached**'}."
    )
    columns = [
        *("shape", "questions", "SKG API, ms", "Oxigraph, ms", "DuckDB, ms", "of Oxigraph's", "of DuckDB's"),
        "DuckDB gave up",
    ]
    command = "python -m tests.benchmarks.shapes GRAPH.tsv.xz"
    return Section("Shapes of questions", lead, [Table(columns, rows)], commands=[command])


def _compared(taken: dict[str, float]) -> list[Cell]:
    ours = taken[OURS]
    return [ours, taken[OXIGRAPH], taken[DUCKDB], ours / taken[OXIGRAPH], ours / taken[DUCKDB]]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("graphs", type=Path, nargs="+", help="TSV, plain or .xz")
    parser.add_argument("--quick", action="store_true", help="few questions")
    asked = parser.parse_args(arguments)
    for graph in asked.graphs:
        with TemporaryDirectory() as scratch:
            settings = Settings(Path(scratch), quick=asked.quick)
            measured = run(replace(settings, graph=graph.resolve()))
        sys.stdout.write("\n\n".join([measured.lead, *(table.text for table in measured.tables)]) + "\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
