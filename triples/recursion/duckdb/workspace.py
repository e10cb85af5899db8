"""The DuckDB database of one evaluation: in memory, limited, and interruptible from another thread."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa

from triples.recursion.duckdb.spilling import spill_folder
from triples.recursion.engine import Stopped


@dataclass(frozen=True, slots=True)
class Resources:
    """Limits of a database in bytes and threads; None leaves them to DuckDB.

    Data that does not fit into memory goes to files in a new folder in `temp_folder`; without one, it goes nowhere.
    """

    memory_bytes: int | None = None
    threads: int | None = None
    temp_folder: Path | None = None
    disk_bytes: int | None = None


class Workspace:
    """A database. A statement raises MemoryError when it needs more memory or disk than allowed."""

    def __init__(self, resources: Resources, stopped: threading.Event) -> None:
        self._stopped = stopped
        with ExitStack() as opened:
            self._connection = _connect(resources, opened)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def interrupt(self) -> None:
        """Interrupt the statement that is running, and let no other begin; called from another thread."""
        self._stopped.set()
        # The connection may be closed by now.
        with suppress(duckdb.ConnectionException):
            self._connection.interrupt()

    def give(self, name: str, table: Any) -> None:
        """Let statements read the table by this name, or a data set, or, one statement only, a reader."""
        self._connection.register(name, table)

    def take_back(self, name: str) -> None:
        self._connection.unregister(name)

    def run(self, statement: str) -> None:
        with self._stoppable():
            self._connection.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self._stoppable():
            return self._connection.execute(statement).fetchall()

    def row(self, statement: str) -> tuple[Any, ...]:
        return self.rows(statement)[0]

    def table(self, statement: str) -> pa.Table:
        with self._stoppable():
            return self._connection.sql(statement).to_arrow_table()

    def reader(self, statement: str) -> pa.RecordBatchReader:
        """The rows, in batches; other statements only when all of them are read."""
        with self._stoppable():
            return self._connection.sql(statement).to_arrow_reader()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.run("BEGIN")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        if self._stopped.is_set():
            raise Stopped
        try:
            yield
        except duckdb.InterruptException:
            raise Stopped from None
        except duckdb.OutOfMemoryException as error:
            # DuckDB's own message is long, and recommends settings that users cannot make.
            raise MemoryError("more memory and disk is needed than may be used") from error
        except duckdb.IOException as error:
            raise OSError(str(error)) from error


def _connect(resources: Resources, opened: ExitStack) -> duckdb.DuckDBPyConnection:
    configuration: dict[str, str | bool | int | float | list[str]] = {
        # Rows are sorted once, at the end.
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "temp_directory": "",
        # These threads read files, and there are none here.
        "async_threads": 0,
    }
    if resources.threads is not None:
        configuration["threads"] = resources.threads
    if resources.memory_bytes is not None:
        configuration["memory_limit"] = f"{resources.memory_bytes}B"
    folder = None
    if resources.temp_folder is not None and resources.disk_bytes != 0:
        folder = opened.enter_context(spill_folder(resources.temp_folder))
    connection = opened.enter_context(duckdb.connect(":memory:", config=configuration))
    # Where it believes that somebody is watching, DuckDB would draw one.
    connection.execute("SET enable_progress_bar = false")
    if folder is not None:
        quoted = str(folder).replace("'", "''")
        connection.execute(f"SET temp_directory = '{quoted}'")
        if resources.disk_bytes is not None:
            # DuckDB shows this limit, but does not enforce it, if it is set on connecting or before the folder.
            connection.execute(f"SET max_temp_directory_size = '{resources.disk_bytes}B'")
    return connection
