"""Backups of PostgreSQL, in pg_dump's custom format.

A backup is tested by a restore into a scratch database. A real restore does the same, and then swaps the names of the
two databases, so the service's database is never half restored. The inferred facts are left out: the next run derives
them again.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep
from typing import Any

import psycopg
from django.db import connection
from psycopg import errors, sql

from skg_site.cli.exit_codes import BUSY
from skg_site.cli.progress import Report
from triples.store.backups.contents import Contents, Fetch, count_contents, require_sound
from triples.store.backups.databases import Database, Form, Replaced, Scratch, words
from triples.store.backups.failures import BackupFailure, Damaged
from triples.store.inferred.layout import FACTS, STATE
from triples.store.postgresql.connections import connect
from triples.store.postgresql.locks import SCRATCH_KEY, in_four_bytes
from triples.store.postgresql.programs import find_program, run_program

# Every server has this database, and it is not renamed itself, so databases are renamed on a connection to it.
_MAINTENANCE = "postgres"
_LONGEST_NAME = 63
# Of the number that ends the name of a scratch database.
_DIGITS = 8
_SCRATCHES = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"

_SIZE = "SELECT pg_database_size(current_database())"
_USERS = "SELECT count(*) FROM auth_user"
_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
# The triggers that hold this look only at what is written after a restore.
_WITHOUT_TERMS = "SELECT count(*) FROM ({}) AS dangling".format(
    " UNION ALL ".join(
        f"SELECT 1 FROM triples_triple WHERE NOT EXISTS (SELECT 1 FROM triples_term AS t WHERE t.id = {place}_id)"
        for place in ("subject", "predicate", "object")
    )
)
_OTHERS = (
    "SELECT count(*), string_agg(DISTINCT coalesce(host(client_addr), 'this host'), ', ') FROM pg_stat_activity"
    " WHERE datname = %s AND pid <> pg_backend_pid()"
)


class PostgreSQLDatabase(Database):
    form = Form.POSTGRESQL
    scratch_folder = None

    def __init__(self) -> None:
        self.name = str(connection.settings_dict["NAME"])

    def save(self, file: Path, report: Report) -> Contents:
        program = find_program("pg_dump")
        with connect() as holder:
            holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            fetch = _fetch_of(holder)
            # pg_dump uses the snapshot of this transaction, while it is open.
            [(snapshot,)] = fetch("SELECT pg_export_snapshot()")
            contents = count_contents(fetch)
            options = ["--format=custom", f"--file={file}", f"--snapshot={snapshot}", "--no-owner", "--no-privileges"]
            options += [f"--exclude-table-data={table}" for table in (FACTS, STATE)]
            said = run_program(program, self.name, options, lambda: report("dumping", _size(file), None))
        if said is not None:
            raise BackupFailure(f"pg_dump failed: {said}")
        return contents

    @contextmanager
    def restored(self, file: Path, _folder: Path, report: Report) -> Iterator[Scratch]:
        program = find_program("pg_restore")
        name = _beside(self.name, f"restored_{token_hex(_DIGITS // 2)}")
        with connect(_MAINTENANCE) as server:
            _remove_left_over(server, self.name)
            server.execute("SELECT pg_advisory_lock(%s, %s)", [SCRATCH_KEY, scratch_number(name)])
            try:
                server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            except errors.InsufficientPrivilege as error:
                user = connection.settings_dict["USER"]
                raise BackupFailure(
                    f"A backup is tried in a database of its own, which {user} may not make: "
                    f'ALTER ROLE "{user}" CREATEDB allows it.'
                ) from error
            try:
                self._restore(program, file, name, report)
                yield _PostgreSQLScratch(self.name, name, server)
            finally:
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def what_stands(self) -> str | None:
        with connect(self.name) as driver:
            fetch = _fetch_of(driver)
            if fetch(_TABLES) == [(0,)]:
                return None
            try:
                return words(count_contents(fetch), fetch(_USERS)[0][0])
            except errors.UndefinedTable:
                return "tables of something else"

    def require_unused(self) -> None:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # of Django's PostgreSQL connection
        with connect(_MAINTENANCE) as server:
            _require_unused(server, self.name)

    def _restore(self, program: str, file: Path, name: str, report: Report) -> None:
        with connect(name) as driver:
            said = run_program(
                program,
                name,
                ["--no-owner", "--no-privileges", "--exit-on-error", "--jobs=2", str(file)],
                lambda: report("restoring", int(_fetch_of(driver)(_SIZE)[0][0]), None),
            )
        if said is not None:
            raise Damaged(f"The backup cannot be restored: {said}")


class _PostgreSQLScratch(Scratch):
    def __init__(self, database: str, name: str, server: "psycopg.Connection[Any]") -> None:
        self._database = database
        self._name = name
        self._server = server
        with connect(name) as driver:
            try:
                [(dangling,)] = _fetch_of(driver)(_WITHOUT_TERMS)
                if dangling:
                    raise Damaged(f"The backup is damaged: {dangling:,} terms of facts are not there.")
                self.contents = require_sound(_fetch_of(driver))
                driver.execute("ANALYZE")
            except errors.UndefinedTable as error:
                raise Damaged(f"The backup is not one of this service's: {error}.") from error

    def update(self, statement: str, values: Sequence[object]) -> int:
        with connect(self._name) as driver:
            return driver.execute(statement.encode(), values).rowcount

    def take_over(self, *, discard: bool) -> Replaced:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # of Django's PostgreSQL connection
        kept = _beside(self._database, f"before_{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        _require_unused(self._server, self._database)
        try:
            with self._server.transaction():
                for name, other in ((self._database, kept), (self._name, self._database)):
                    self._server.execute(
                        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(other))
                    )
        except errors.ObjectInUse as error:
            raise BackupFailure(
                f"{self._database} is in use: {error}. Stop the service, then try again.", BUSY
            ) from error
        if discard:
            self._server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(kept)))
        return Replaced(None if discard else kept)


def _remove_left_over(server: "psycopg.Connection[Any]", name: str) -> None:
    """Drop the scratch databases of this one whose backup or restore was killed, here or on another host."""
    beginning = _beside(name, f"restored_{'0' * _DIGITS}")[:-_DIGITS]
    for (scratch,) in server.execute(_SCRATCHES, [beginning]).fetchall():
        if re.fullmatch(f"[0-9a-f]{{{_DIGITS}}}", scratch.removeprefix(beginning)) is None:
            continue
        lock = [SCRATCH_KEY, scratch_number(scratch)]
        [free] = server.execute("SELECT pg_try_advisory_lock(%s, %s)", lock).fetchone() or (False,)
        if free:
            # It belongs to another role.
            with suppress(errors.InsufficientPrivilege):
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(scratch)))
            server.execute("SELECT pg_advisory_unlock(%s, %s)", lock)


def scratch_number(name: str) -> int:
    """The second number of the lock of a scratch database."""
    return in_four_bytes(int(name[-_DIGITS:], 16))


# The server takes a moment to notice a closed connection, such as one of a service that has just stopped.
_LEAVING_SECONDS = 2.0


def _require_unused(server: "psycopg.Connection[Any]", name: str) -> None:
    deadline = monotonic() + _LEAVING_SECONDS
    while True:
        [(number, places)] = server.execute(_OTHERS, [name]).fetchall()
        if not number:
            return
        if monotonic() > deadline:
            raise BackupFailure(
                f"{name} has {number} open connections, from {places}. Stop the service, then try again.", BUSY
            )
        sleep(0.05)


def _beside(name: str, ending: str) -> str:
    """The name of another database, made from this one and within PostgreSQL's length of names."""
    return f"{name[: _LONGEST_NAME - len(ending) - 1]}_{ending}"


def _fetch_of(driver: "psycopg.Connection[Any]") -> Fetch:
    def fetch(statement: str) -> list[tuple[Any, ...]]:
        return driver.execute(statement.encode()).fetchall()

    return fetch


def _size(file: Path) -> int:
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
