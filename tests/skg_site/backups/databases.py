"""What the tests of backups do to databases, whichever they run on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.triples.commands.runs import Shell

RULES = [{"transitive": "in", "weight": 0.5}]
# All in one process, since each takes seconds to load the site.
FILL = f"""
import io, sys
from django.core.management import call_command
from apikeys.services import key_issue
sys.stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"a\\tin\\tb\\nb\\tin\\tc\\nc\\tin\\td\\n")))
call_command("import_triples", "-", "--format", "tsv")
sys.stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO({orjson.dumps(RULES)!r})))
call_command("rules", "load", "-")
call_command("recurse")
key_issue(name="one", scopes=["read"], actor="tests")
"""


@dataclass(frozen=True, slots=True)
class Databases:
    fresh: Callable[[], Shell]

    def filled(self) -> Shell:
        """Three facts, a rule, three inferred facts and a key."""
        shell = self.fresh()
        done(shell, "shell", "-v0", "-c", FILL)
        return shell


def done(shell: Shell, *arguments: str, given: str = "") -> str:
    """What a command prints that ends well."""
    run = shell.run(*arguments, given=given.encode())
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode()


def as_json(shell: Shell, *arguments: str) -> Any:
    return orjson.loads(done(shell, *arguments, "--json"))


def refused(shell: Shell, *arguments: str) -> tuple[int, str]:
    """The exit code and the sentence of a command that does not do it."""
    run = shell.run(*arguments)
    said = run.stderr.decode()
    assert said.startswith("CommandError: "), said
    return run.returncode, said.removeprefix("CommandError: ").strip()


def exported(shell: Shell) -> set[str]:
    return set(done(shell, "export_triples", "-", "--format", "tsv").splitlines())


def state_folder(shell: Shell) -> Path:
    return Path(shell.variables["SKG_DB_PATH"]).with_suffix(".state")


def is_sqlite(shell: Shell) -> bool:
    return not shell.variables["SKG_DATABASE_URL"]
