"""What becomes of a worker's memory under an hour of mixed load."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from skg_site.env import BASE_DIR
from tests.benchmarks.plots import lines
from tests.benchmarks.report import Cell, LeftOut, Plot, Section, Settings, Table
from tests.benchmarks.scale_memory import Memory, memory
from tests.benchmarks.servers import Failed, children, pinned, processors, running, service
from tests.support.environment import process_environment
from tests.support.service import KEY

MIX, RATE = "query=80,add=18,batch=2", 200
FACTS, QUICK_FACTS = 100_000, 10_000
SAMPLE_SECONDS = 2
MIB = 1 << 20
TARGET = 0.02

Sample = tuple[float, Memory]


def run(settings: Settings) -> Section:
    if not settings.soak_minutes:
        raise LeftOut("It takes long, and is done when it is asked for: make bench BENCH='--soak 60'.")
    server = service(settings.folder)
    command = [
        *(sys.executable, "manage.py", "load_test", server.url, "--mix", MIX, "--rate", str(RATE), "--json", "--keep"),
        *("--warm-up", "0s", "--duration", f"{settings.soak_minutes}m"),
    ]
    with running(server) as process:
        server.fill(server.url, QUICK_FACTS if settings.quick else FACTS)
        [worker] = children(process.pid)
        rest = memory(worker)
        told, samples = _loaded(command, worker, settings.folder / "client")
        if children(process.pid) != [worker]:
            raise Failed("The worker was replaced during the load.")
    return _section(settings, command, rest, told, samples)


def _loaded(command: Sequence[str], worker: int, folder: Path) -> tuple[dict[str, Any], list[Sample]]:
    environment = process_environment({"API_KEY": KEY, "SKG_DB_PATH": str(folder / "skg.db")})
    samples: list[Sample] = []
    begin = time.monotonic()
    with subprocess.Popen(
        pinned(command, processors()[-1]), cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE
    ) as load:
        while load.poll() is None:
            samples.append((time.monotonic() - begin, memory(worker)))
            time.sleep(SAMPLE_SECONDS)
        assert load.stdout is not None
        told: dict[str, Any] = orjson.loads(load.stdout.read())
    if load.returncode:
        raise Failed(f"The load did not go well: {told['statuses']}")
    return told, samples


def _section(
    settings: Settings, command: Sequence[str], rest: Memory, told: dict[str, Any], samples: Sequence[Sample]
) -> Section:
    kinds: dict[str, Callable[[Memory], int]] = {
        "proportional (PSS)": lambda found: found.proportional,
        "not of files": lambda found: found.own,
    }
    rows: list[list[Cell]] = []
    for name, size in kinds.items():
        tenths = [median(size(found) for _, found in part) for part in (_tenth(samples, 1), _tenth(samples, 9))]
        growth = tenths[1] / tenths[0] - 1
        reached = "yes" if growth <= TARGET else "**no**"
        rows.append([name, size(rest) / MIB, *(tenth / MIB for tenth in tenths), f"{growth:+.1%}", reached])
    curves = {name: [(at / 60, size(found) / MIB) for at, found in samples] for name, size in kinds.items()}
    return Section(
        f"Memory of a worker under {settings.soak_minutes} minutes of mixed load",
        f"{told['requests']:,} requests, {RATE} a second of {MIX}, none of them failed. Caches fill in the first tenth"
        f" of the time; what the worker holds in the last tenth is compared with the second one, and may be"
        f" {TARGET:.0%} more. Pages of the database that are mapped are the kernel's to take back, and not in the"
        " second row.",
        tables=[Table(["memory", "ready, MiB", "second tenth, MiB", "last tenth, MiB", "growth", "reached"], rows)],
        plots=[Plot(lines("A worker's memory", curves, x="minutes", y="MiB"), "Memory of the worker over time.")],
        commands=[" ".join(command)],
    )


def _tenth(samples: Sequence[Sample], number: int) -> Sequence[Sample]:
    """The samples of one tenth of the time, counted from 0."""
    step = len(samples) / 10
    return samples[int(number * step) : max(int((number + 1) * step), int(number * step) + 1)]
