"""Databases with generated graphs, made once and kept as long as their folder."""

import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from skg_site.env import BASE_DIR
from tests.benchmarks.generator import Graph, tsv_line
from tests.benchmarks.graphs import commanded
from tests.support.environment import process_environment, service_variables


def stored_graph(graph: Graph, graphs: Path) -> Path:
    """The folder of a service whose database holds the graph, imported unless it is there already."""
    folder = graphs / f"{graph.facts}-{graph.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    variables = service_variables(folder)
    # One that was kept may be older than the newest migration.
    commanded(variables, "migrate", "--no-input")
    if _facts(database_of(folder)) != graph.facts:
        _import(graph, process_environment(variables))
    return folder


def database_of(folder: Path) -> Path:
    return folder / "skg.db"


def _facts(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as driver:
        [(facts,)] = driver.execute("SELECT coalesce(sum(triples), 0) FROM triples_tally")
        return int(facts)


def _import(graph: Graph, environment: Mapping[str, str]) -> None:
    loading = [sys.executable, "manage.py", "import_triples", "--format", "tsv", "--json", "-"]
    with subprocess.Popen(
        loading, cwd=BASE_DIR, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        # An import that ends early has said why, and its exit code is looked at below.
        with suppress(BrokenPipeError), process.stdin as pipe:
            for fact in graph:
                pipe.write(tsv_line(fact))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, loading)
