"""Bulk import into an empty database, beside Oxigraph's bulk load of the same file."""

import shutil
import subprocess
from pathlib import Path
from statistics import median

import orjson

from tests.benchmarks.graphs import fresh_database, graph_file, graph_name, summary
from tests.benchmarks.peers import python_with
from tests.benchmarks.report import Section, Settings, Table

PEER = Path(__file__).with_name("oxigraph_load.py")
TARGET = 1.0


def run(settings: Settings) -> Section:
    python = python_with(settings, "pyoxigraph")
    file = graph_file(settings)
    ours, from_tsv, from_triples = [], [], []
    facts = stored = 0
    for _ in range(settings.rounds):
        imported = summary(fresh_database(settings.folder / "service"), "import_triples", str(file))
        ours.append(imported["seconds"])
        facts = imported["inserted"]
        theirs = _loaded(python, file, settings.folder / "oxigraph")
        from_tsv.append(theirs["tsv"])
        from_triples.append(theirs["triples"])
        stored = int(theirs["facts"])
    ratio = median(their / our for their, our in zip(from_tsv, ours, strict=True))
    rows = [
        ["SKG API, import_triples of TSV", facts, median(ours), facts / median(ours), 1.0],
        ["Oxigraph, bulk_extend of TSV", stored, median(from_tsv), stored / median(from_tsv), ratio],
        [
            *("Oxigraph, bulk_load of N-Triples", stored, median(from_triples), stored / median(from_triples)),
            median(their / our for their, our in zip(from_triples, ours, strict=True)),
        ],
    ]
    return Section(
        "Bulk import beside Oxigraph",
        f"The facts of {graph_name(settings)} into an empty SQLite database on disk with `synchronous=FULL`, and into"
        f" an empty store of Oxigraph, in turn. Rounds: {settings.rounds}; medians of the seconds from opening the file"
        " to having all of it on disk, without the interpreter's start. Oxigraph keeps neither weights nor times. The"
        f" last column is its seconds over the service's; the target is {TARGET:g} for the same file:"
        f" {'reached' if ratio >= TARGET else '**not reached**'}.",
        tables=[Table(["", "facts", "seconds", "facts/s", "times the service's seconds"], rows)],
        commands=["manage.py import_triples FACTS.tsv --json", f"{python} {PEER.name} FACTS.tsv FOLDER"],
    )


def _loaded(python: Path, file: Path, folder: Path) -> dict[str, float]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    told = subprocess.run([python, PEER, file, folder], capture_output=True, check=True)
    seconds: dict[str, float] = orjson.loads(told.stdout)
    return seconds
