"""Runs of commands: in this process, or as processes of their own."""

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import orjson
from django.core.management import CommandError, ManagementUtility, call_command

from tests.support.environment import process_environment
from tests.support.processes import PythonProcess, run_python


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


class CommandLine(Protocol):
    """Where commands run, and on which database."""

    @property
    def variables(self) -> dict[str, str]: ...

    def run(self, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]": ...


class Inside:
    """Commands run in this process, on the database that it has; exit codes and streams are a process's."""

    @property
    def variables(self) -> dict[str, str]:
        return dict(os.environ)

    def run(self, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(given)), "utf-8")
        printed, reported = io.BytesIO(), io.BytesIO()
        stdout, stderr = io.TextIOWrapper(printed, "utf-8"), io.TextIOWrapper(reported, "utf-8")
        words = ["manage.py", *arguments]
        with (
            mock.patch.multiple(sys, stdin=stdin, stdout=stdout, stderr=stderr, argv=words),
            # It would hold for the tests that come after.
            mock.patch("os.nice"),
        ):
            code = _exit_code(words)
        stdout.flush()
        stderr.flush()
        return subprocess.CompletedProcess(words, code, printed.getvalue(), reported.getvalue())


def with_graph(folder: Path, facts: str, rules: Sequence[dict[str, Any]] = ()) -> Inside:
    """Commands in this process, on a database with these lines of TSV and these rules."""
    here = Inside()
    file = folder / "facts.tsv"
    file.write_text(facts)
    assert here.run("import_triples", str(file)).returncode == 0
    if rules:
        assert here.run("rules", "load", "-", given=orjson.dumps(rules)).returncode == 0
    return here


def _exit_code(words: list[str]) -> int:
    """What `manage.py` ends with; Django's `execute` would set the log up again, for streams that are gone then."""
    try:
        ManagementUtility(words).fetch_command(words[1]).run_from_argv(words)
    except SystemExit as end:
        if not isinstance(end.code, str):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    return 0


@dataclass(frozen=True, slots=True)
class Shell:
    """Where commands run as processes, on a database of their own."""

    variables: dict[str, str]

    def start(
        self,
        *arguments: str,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        measured: bool = False,
        set_up: bool = False,
    ) -> PythonProcess:
        """`set_up` is that of PythonProcess, in the environment of `run`."""
        return PythonProcess(
            ["manage.py", *arguments],
            env=process_environment(self.variables, measured=measured or set_up),
            set_up=set_up,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
        )

    def run(self, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        environment = process_environment(self.variables, measured=True)
        return run_python(["manage.py", *arguments], env=environment, given=given, set_up=True)
