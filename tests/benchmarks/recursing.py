"""A run of recursion from nothing, beside a program of the peers that derives the same facts."""

import subprocess
from pathlib import Path
from statistics import median

import orjson

from tests.benchmarks.graphs import commanded, fresh_database, graph_file, graph_name, summary
from tests.benchmarks.peers import python_with
from tests.benchmarks.report import LeftOut, Section, Settings, Table


def run(settings: Settings) -> Section:
    rules, peer = settings.rules, settings.recursion_peer
    if settings.graph is None or rules is None or peer is None:
        raise LeftOut(
            "A graph, rules for it and a program that derives the same were not given: make bench GRAPH=FILE.tsv.xz"
            " RULES=FILE.json RECURSION_PEER=PROGRAM.py."
        )
    python = python_with(settings, "pyoxigraph")
    file = graph_file(settings)
    variables = fresh_database(settings.folder / "service")
    commanded(variables, "import_triples", str(file))
    commanded(variables, "rules", "load", str(rules.resolve()))
    ours, theirs = [], []
    derived = their_derived = 0
    for _ in range(settings.rounds):
        ended = summary(variables, "recurse", "--force")
        ours.append(ended["duration_seconds"])
        derived = ended["facts"]
        told = _derived(python, peer, file)
        theirs.append(told["materialise_s"])
        their_derived = int(told["derived"])
    ratio = median(their / our for their, our in zip(theirs, ours, strict=True))
    return Section(
        "Recursion beside Oxigraph",
        f"What {rules.name} derives from {graph_name(settings)}, from nothing and in turn. Rounds: {settings.rounds};"
        " medians. The service derives with weights and the best proof of each fact and keeps them for `explain`;"
        " Oxigraph has neither, and takes transitive rules as property paths.",
        tables=[
            Table(
                ["", "derived facts", "seconds", "times the service's seconds"],
                [
                    ["SKG API, recurse --force", derived, median(ours), 1.0],
                    [f"Oxigraph, {peer.name}", their_derived, median(theirs), ratio],
                ],
            )
        ],
        commands=["manage.py rules load RULES.json", "manage.py recurse --force --json", f"{python} {peer} FACTS.tsv"],
    )


def _derived(python: Path, peer: Path, file: Path) -> dict[str, float]:
    told = subprocess.run([python, peer, file], capture_output=True, check=True)
    seconds: dict[str, float] = orjson.loads(told.stdout)
    return seconds
