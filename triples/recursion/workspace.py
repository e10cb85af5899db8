"""The database in which one evaluation takes place: in memory, bounded, of no use to anyone else, and stoppable."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

# What does not fit into memory goes to disk, up to so many times as much.
SPILLED_PER_MEMORY = 8


class Stopped(Exception):
    """The evaluation was interrupted; nothing came of it."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What an evaluation may use; None leaves it to DuckDB, and no temporary folder means no spilling."""

    memory_bytes: int | None
    threads: int | None
    temp_folder: Path | None


class Workspace:
    def __init__(self, resources: Resources, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._connection = duckdb.connect(":memory:", config=_configuration(resources))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def interrupt(self) -> None:
        """Break off the statement that is under way, from another thread."""
        self._connection.interrupt()

    def give(self, name: str, table: pa.Table) -> None:
        """Let statements read a table by that name."""
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
            raise MemoryError(str(error)) from error


def _configuration(resources: Resources) -> dict[str, str | bool | int | float | list[str]]:
    configuration: dict[str, str | bool | int | float | list[str]] = {
        # Rows are put in order at the end, once.
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "temp_directory": str(resources.temp_folder) if resources.temp_folder else "",
    }
    if resources.threads is not None:
        configuration["threads"] = resources.threads
    if resources.memory_bytes is not None:
        configuration["memory_limit"] = f"{resources.memory_bytes}B"
        configuration["max_temp_directory_size"] = f"{resources.memory_bytes * SPILLED_PER_MEMORY}B"
    return configuration
