"""On what a report was measured: without it no figure means anything."""

import os
import platform
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from skg_site.version import VERSION
from tests.benchmarks.report import Settings, Table

OURS = ("Django", "djangorestframework", "pydantic", "uvicorn", "uvloop", "httptools", "gunicorn", "duckdb")
THEIRS = ("fastapi", "uvicorn", "aiosqlite", "flask", "oxigraph", "pyoxigraph")


def heading(settings: Settings, arguments: Sequence[str]) -> str:
    now = datetime.now(UTC)
    command = shlex.join(["python", "-m", "tests.benchmarks", *arguments])
    parts = [
        f"# SKG API {VERSION}: benchmarks",
        f"Measured on {now:%Y-%m-%d} at {now:%H:%M} UTC by\n\n```sh\n{command}\n```",
        "Seconds are this machine's; what holds elsewhere is a ratio, and only of what was measured in turn.",
        Table(["machine", ""], list(_machine(settings.folder))).text,
        Table(["version", ""], [*_versions(), *_peers(settings.peer_python)]).text,
    ]
    return "\n\n".join(parts)


def _machine(folder: Path) -> Iterator[tuple[str, str]]:
    yield "processor", _field("/proc/cpuinfo", "model name") or platform.machine()
    yield "processors used", f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}"
    yield "memory", _field("/proc/meminfo", "MemTotal") or "unknown"
    yield "system", f"{platform.system()} {platform.release()}"
    yield "databases on", _file_system(folder)


def _versions() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    yield "SQLite", sqlite3.sqlite_version
    for package in OURS:
        yield package, version(package)


def _peers(python: Path | None) -> Iterator[tuple[str, str]]:
    if python is None or not python.exists():
        return
    program = (
        "import sys\nfrom importlib.metadata import PackageNotFoundError, version\nfor name in sys.argv[1:]:\n"
        "    try: print(name, version(name))\n    except PackageNotFoundError: pass"
    )
    told = subprocess.run([python, "-c", program, *THEIRS], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        name, _, number = line.partition(" ")
        yield f"{name} (peers)", number


def _field(file: str, name: str) -> str | None:
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _file_system(folder: Path) -> str:
    told = subprocess.run(["stat", "--file-system", "--format=%T", folder], capture_output=True, text=True, check=True)
    return told.stdout.strip()
