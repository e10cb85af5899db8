"""A session with a server that speaks Spark Connect: Apache Spark, or Sail.

All that it is asked is SQL, and reading and writing Parquet. Only counts come back over the wire.
"""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.connect.client.retries import DefaultPolicy

from triples.recursion.engine import EngineFailed, Stopped
from triples.recursion.spark_addresses import Address, address_of

_CONNECT_SECONDS = 10.0
# About a minute altogether: a server that is restarted is back by then, though without the session.
_MOST_RETRIES = 7
_MOST_TOLD = 500


class Session:
    """Statements are carried out one after the other; another thread can interrupt them."""

    def __init__(self, remote: str, stopped: Event) -> None:
        address = address_of(remote)
        assert address is not None, "the caller has checked it"
        self._address = address
        self._stopped = stopped
        _reach(address)
        with self._stoppable():
            self._spark = SparkSession.builder.remote(remote).create()
            self._spark.client.set_retry_policies([DefaultPolicy(max_retries=_MOST_RETRIES)])

    def close(self) -> None:
        # The server forgets a session by itself, too.
        with suppress(Exception):
            self._spark.stop()

    def interrupt(self) -> None:
        # The thread that waits for the statement hears what has come of it.
        with suppress(Exception):
            self._spark.interruptAll()

    def view(self, name: str, statement: str) -> None:
        """Let statements read the result of `statement` by this name. It is worked out each time."""
        with self._stoppable():
            self._spark.sql(statement).createOrReplaceTempView(name)

    def files(self, name: str, schema: str, folders: Sequence[str]) -> None:
        """Let statements read these folders of Parquet files by this name."""
        with self._stoppable():
            read = self._spark.read.schema(schema)
            if len(folders) > 1:
                # Below it, names such as part=3 and predicate=7 are columns, of which all folders have the same ones.
                read = read.option("basePath", folders[0].rpartition("/")[0])
            read.parquet(*folders).createOrReplaceTempView(name)

    def write(self, statement: str, folder: str, partitions: Sequence[str]) -> None:
        """Write the result of `statement` to a new folder of Parquet files."""
        with self._stoppable():
            self._spark.sql(statement).write.partitionBy(*partitions).parquet(folder)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """The result, which is to be small."""
        with self._stoppable():
            return [tuple(row) for row in self._spark.sql(statement).collect()]

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        if self._stopped.is_set():
            raise Stopped
        try:
            yield
        except PySparkException as error:
            if self._stopped.is_set():
                raise Stopped from None
            # Java's stack traces are for the server's own log.
            told = str(error).partition("JVM stacktrace")[0].strip()[:_MOST_TOLD]
            raise EngineFailed(f"The Spark server at {self._address} has failed: {told}") from error
        if self._stopped.is_set():
            raise Stopped


def _reach(address: Address) -> None:
    """Raise EngineFailed if nothing listens there: the library would try for minutes."""
    try:
        socket.create_connection(address, _CONNECT_SECONDS).close()
    except OSError as error:
        raise EngineFailed(f"No Spark Connect server answers at {address}: {error}.") from None
