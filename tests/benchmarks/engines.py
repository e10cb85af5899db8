"""The same closure on the two engines of recursion: DuckDB in the run's process, and Sail as a server beside it."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from skg_site.env import BASE_DIR
from tests.benchmarks.closures import ENTITIES, GENERATED
from tests.benchmarks.report import LeftOut, Section, Settings, Table
from tests.benchmarks.servers import Failed
from tests.support.spark import sail_process

QUICK_ENTITIES = 2_000
# Apart from all other packages: see the Makefile.
PACKAGES = BASE_DIR / ".venv" / "spark"


def run(settings: Settings) -> Section:
    if not (PACKAGES / "pysail").is_dir():
        raise LeftOut("Sail and the client of Spark Connect are not installed: make .venv/installed-spark.")
    entities = QUICK_ENTITIES if settings.quick else ENTITIES
    exchange = settings.folder / "exchange"
    exchange.mkdir()
    found: dict[str, list[dict[str, Any]]] = {}
    with sail_process(settings.folder, packages=PACKAGES) as (address, _):
        for _ in range(settings.rounds):
            for line in _derived(address, exchange, entities):
                found.setdefault(line["engine"], []).append(line)
    embedded, server = (_medians(lines) for lines in found.values())
    same = len({line["digest"] for lines in found.values() for line in lines}) == 1
    return Section(
        "Recursion on DuckDB and on Sail",
        f"The transitive closure of a generated hierarchy of {entities:,} entities, with weights and proofs, on both"
        f" engines in turn. Rounds: {settings.rounds}; medians. The memory is that of the run's process, without Sail."
        f" Every table has {'the same digest' if same else '**not the same digest**'}. For one small graph the server"
        " can only cost: what it is for does not fit one machine.",
        tables=[
            Table(
                ["engine", "asserted", "derived", "rounds", "seconds", "MiB", "times DuckDB's seconds"],
                [["DuckDB", *embedded, 1.0], ["Sail", *server, server[3] / embedded[3]]],
            )
        ],
        commands=[f"PYTHONPATH=.venv/spark {' '.join(_words('sc://127.0.0.1:PORT', Path('FOLDER'), entities))}"],
    )


def _derived(address: str, exchange: Path, entities: int) -> list[dict[str, Any]]:
    # In a process that finds pandas, which others must not.
    variables = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    words = [sys.executable, *_words(address, exchange, entities)[1:]]
    done = subprocess.run(words, cwd=BASE_DIR, env=variables, capture_output=True, check=False)
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    # Exit code 1 may also mean that the two differ, which the report says.
    if len(lines) < 2:
        raise Failed(done.stderr.decode()[-2000:])
    return lines


def _words(address: str, exchange: Path, entities: int) -> list[str]:
    asked = ["--closure", GENERATED, "--entities", str(entities), "--engine", "duckdb", "--engine", address]
    return ["python", "-m", "tests.benchmarks.closures", *asked, "--exchange", str(exchange)]


def _medians(lines: list[dict[str, Any]]) -> list[Any]:
    first = lines[0]
    numbers = [median(line[name] for line in lines) for name in ("seconds", "memory_mib")]
    return [first["asserted"], first["derived"], first["rounds"], *numbers]
