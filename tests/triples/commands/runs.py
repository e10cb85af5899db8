"""Runs of the two commands: in this process, or as processes of their own."""

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.core.management import CommandError, call_command

from skg_site.env import BASE_DIR
from tests.support.environment import process_environment


@dataclass(frozen=True, slots=True)
class Run:
    """How a command went: its summary as printed, and the error that it ended with."""

    summary: dict[str, Any]
    error: CommandError | None

    @property
    def counts(self) -> dict[str, int]:
        return {name: self.summary[name] for name in ("read", "inserted", "updated", "duplicates", "refused")}


def imported(*files: Path | str, **options: Any) -> Run:
    """`import_triples` in this process; whoever expects no error looks at `Run.error`."""
    printed = io.StringIO()
    error: CommandError | None = None
    try:
        call_command("import_triples", *map(str, files), stdout=printed, json=True, **options)
    except CommandError as raised:
        error = raised
    return Run(orjson.loads(printed.getvalue() or "{}"), error)


def counts(read: int, inserted: int, *, updated: int = 0, duplicates: int = 0, refused: int = 0) -> dict[str, int]:
    return {"read": read, "inserted": inserted, "updated": updated, "duplicates": duplicates, "refused": refused}


@dataclass(frozen=True, slots=True)
class Shell:
    """Where commands run as processes, on a database of their own."""

    variables: dict[str, str]

    def start(self, *arguments: str, stderr: int = subprocess.PIPE, measured: bool = True) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=process_environment(self.variables, measured=measured),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    def run(self, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        with self.start(*arguments) as process:
            stdout, stderr = process.communicate(given, timeout=100)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)
