"""Load by wrk, which costs the machine little beside what it measures."""

import re
import secrets
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from skg_site.env import BASE_DIR
from tests.benchmarks.servers import Failed, Server, pinned, processors
from tests.support.service import KEY

CONNECTIONS: Final = 16
WORK: Final = ("query", "add", "batch")
SCRIPT = Path(__file__).with_name("requests.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it; latencies in milliseconds."""

    requests: int
    per_second: float
    p50: float
    p99: float


def is_there() -> bool:
    return shutil.which("wrk") is not None


def drive(server: Server, work: str, seconds: int) -> Load:
    """Send this kind of work for so long; Failed unless all of it was done."""
    told = subprocess.run(_command(server, work, seconds), cwd=BASE_DIR, capture_output=True, text=True, check=True)
    found = re.search(r"^RESULT (.*)$", told.stdout, re.MULTILINE)
    if found is None:
        raise Failed(f"wrk said nothing of {server.name}: {told.stdout}{told.stderr}")
    result = orjson.loads(found[1])
    if result["refused"] or result["broken"]:
        sentence = f"{result['refused']} refused and {result['broken']} broken of {result['requests']} requests"
        raise Failed(f"{server.name}, {work}: {sentence}. A quick error is no result.")
    per_second = result["requests"] / result["microseconds"] * 1e6
    return Load(result["requests"], per_second, result["p50"] / 1000, result["p99"] / 1000)


def shown(server: Server, seconds: int) -> str:
    """What `drive` runs, for a shell."""
    return shlex.join(_command(server, "|".join(WORK), seconds))


def _command(server: Server, work: str, seconds: int) -> list[str]:
    # A name of its own, so that each fact that is sent is new.
    run = secrets.token_hex(8)
    command = [
        *("wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", "--latency"),
        *("--timeout", "30s", "--script", str(SCRIPT.relative_to(BASE_DIR)), server.url),
        *("--", server.dialect, work, run, KEY),
    ]
    return pinned(command, processors()[-1])
