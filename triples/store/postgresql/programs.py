"""PostgreSQL's client programs, run on the service's database."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

from skg_site.cli.exit_codes import UNAVAILABLE
from triples.store.backups.failures import BackupFailure
from triples.store.postgresql.connections import location

# Debian's folders with the programs of each version.
_VERSIONS = Path("/usr/lib/postgresql")
_LOOK_SECONDS = 0.2


def find_program(name: str) -> str:
    """Find the program in the server's version or a newer one: an older one refuses, or misses what it does not know.

    The program in PATH is tried first, then those that Debian keeps apart, the newest first.
    """
    connection.ensure_connection()
    wanted = connection.pg_version // 10_000  # type: ignore[attr-defined]  # of Django's PostgreSQL connection
    installed = sorted(_VERSIONS.glob(f"*/bin/{name}"), key=lambda file: _number(file.parts[-3]), reverse=True)
    found: list[str] = []
    for program in (shutil.which(name), *map(str, installed)):
        if program is None:
            continue
        version = _version(program)
        if version >= wanted:
            return program
        found.append(f"{program} is of version {version}")
    raise BackupFailure(
        f"The server is PostgreSQL {wanted}, which needs {name} {wanted} or newer; "
        f"{', '.join(found) or 'none is installed'}. Install the package postgresql-client-{wanted}.",
        UNAVAILABLE,
    )


def run_program(program: str, database: str, options: Sequence[str], look: Callable[[], None]) -> str | None:
    """Run a program on a database of the service's server. Returns its complaints if it failed, otherwise None.

    `look` is called a few times a second while it runs.
    """
    place = location(database)
    # The password travels in the environment: other users can read command lines.
    password = place.pop("password", None)
    command = [program, f"--dbname={make_conninfo(**place)}", "--no-password", *options]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603  # PostgreSQL's own, found above
            command,
            env=os.environ | ({} if password is None else {"PGPASSWORD": password}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        try:
            while _is_running(process):
                look()
        finally:
            process.kill()
            process.wait()
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip()
    return (said or f"exit code {process.returncode}") if process.returncode else None


def _is_running(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else 0


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
