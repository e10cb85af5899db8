"""What the tests of backups do to databases, whichever they run on."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg

from tests.triples.commands.runs import CommandLine, Shell

RULES = [{"transitive": "in", "weight": 0.5}]
# All in one process, since each takes a while to load the site.
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
    filled: Callable[[], Shell]


def done(shell: CommandLine, *arguments: str, given: str = "") -> str:
    """What a command prints that ends well."""
    run = shell.run(*arguments, given=given.encode())
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode()


def as_json(shell: CommandLine, *arguments: str) -> Any:
    return orjson.loads(done(shell, *arguments, "--json"))


def refused(shell: CommandLine, *arguments: str) -> tuple[int, str]:
    """The exit code and the sentence of a command that does not do it."""
    run = shell.run(*arguments)
    said = run.stderr.decode()
    assert said.startswith("CommandError: "), said
    return run.returncode, said.removeprefix("CommandError: ").strip()


def next_second() -> None:
    """What a restore keeps of the database before is named for the second, and a command takes less."""
    time.sleep(1 - time.time() % 1)


def exported(shell: CommandLine) -> set[tuple[Any, ...]]:
    """The asserted facts, read as they lie there."""
    if is_sqlite(shell):
        with closing(sqlite3.connect(shell.variables["SKG_DB_PATH"])) as database:
            return set(database.execute(_FACTS).fetchall())
    with psycopg.connect(shell.variables["SKG_DATABASE_URL"]) as connection:
        return set(connection.execute(_FACTS).fetchall())


_FACTS = """
SELECT s.text, p.text, o.text, f.weight, CAST(f.metadata AS TEXT)
FROM triples_triple AS f
JOIN triples_term AS s ON s.id = f.subject_id
JOIN triples_term AS p ON p.id = f.predicate_id
JOIN triples_term AS o ON o.id = f.object_id
"""


def state_folder(shell: CommandLine) -> Path:
    return Path(shell.variables["SKG_DB_PATH"]).with_suffix(".state")


def is_sqlite(shell: CommandLine) -> bool:
    return not shell.variables["SKG_DATABASE_URL"]
