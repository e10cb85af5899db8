"""The graph of this process: its writer and its readers, started at the first use."""

import os
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from triples import ids
from triples.query import reads
from triples.query.explanations import Asserted, Node, explain
from triples.query.predicates import Predicate, predicates
from triples.query.reads import Matches, Wanted
from triples.query.rows import AnyRow, InferredRow
from triples.query.term_reads import FoundTerm, TermSearcher, WantedTerms
from triples.recursion.programs import Key
from triples.store.backend import backend
from triples.store.dialect import Dialect
from triples.store.inferred.reading import View
from triples.store.operations import NoSuchFact, Operation, Outcome, Row
from triples.store.patterns import Position
from triples.store.reader import Reader, Result, WideRead
from triples.store.sessions import Fetch
from triples.store.sqlite.inline_reader import InlineReader
from triples.store.sqlite.prepared_writer import PreparingWriter
from triples.store.statistics import Statistics, statistics
from triples.store.writer import Writer

# More threads would only wait for each other: a query holds Python's lock nearly as long as the database.
MAX_QUERY_THREADS = 4
# Lists and statistics have threads of their own, so that /query never waits behind them.
MAX_LONG_THREADS = 2


class _Running(NamedTuple):
    """The threads of one process. They do not survive a fork, so `pid` tells whose they are."""

    pid: int
    dialect: Dialect
    writer: Writer
    short: Reader
    long: Reader
    searcher: TermSearcher

    @property
    def open_connections(self) -> int:
        return self.writer.open_connections + self.short.open_connections + self.long.open_connections


class Graph:
    """The store as the API's views use it, from the event loop."""

    def __init__(self) -> None:
        self._running: _Running | None = None

    async def write(self, operation: Operation) -> Outcome:
        """Commit an operation; its outcome, or StoreError or a database error raised."""
        return await self.running.writer.write(operation)

    async def heaviest(self, wanted: Wanted, *, k: int, with_metadata: bool) -> Matches:
        """The k heaviest facts that match, and how many match in all."""
        running = self.running

        def read(fetch: Fetch, view: View | None) -> Matches:
            return reads.heaviest(fetch, running.dialect, view, wanted, k=k, with_metadata=with_metadata)

        return await _run(running.short, wanted, read)

    async def page(self, wanted: Wanted, *, limit: int, after: Position | None) -> list[AnyRow]:
        """At most `limit` facts that match, in the order of `heaviest`, behind the position."""
        running = self.running

        def read(fetch: Fetch, view: View | None) -> list[AnyRow]:
            return reads.page(fetch, running.dialect, view, wanted, limit=limit, after=after)

        return await _run(running.long, wanted, read)

    async def fact(self, id_: int, created_ms: int) -> Row:
        """The asserted fact of this key and time, or NoSuchFact."""
        running = self.running
        row = await running.short.run(lambda fetch: reads.fact(fetch, running.dialect, id_))
        if row is None or ids.fitting(row.created_ms) != created_ms:
            raise NoSuchFact
        return row

    async def inferred_fact(self, key: Key) -> InferredRow:
        """The inferred fact of these terms, or NoSuchFact."""
        running = self.running
        row = await running.short.run_wide(lambda fetch, view: reads.inferred_fact(fetch, running.dialect, view, key))
        if row is None:
            raise NoSuchFact
        return row

    async def explain(self, wanted: Asserted | Key, *, depth: int) -> Node:
        """The proof tree of a fact, or NoSuchFact."""
        running = self.running
        return await running.long.run_wide(
            lambda fetch, view: explain(fetch, running.dialect, view, wanted, depth=depth)
        )

    async def search_terms(self, wanted: WantedTerms) -> list[FoundTerm]:
        """The terms that match best, the best first."""
        running = self.running
        return await running.long.run_wide(lambda fetch, view: running.searcher.search(fetch, view, wanted))

    async def predicates(self, *, limit: int, after: int) -> list[Predicate]:
        """At most `limit` predicates behind this id, with the numbers of their facts."""
        running = self.running
        return await running.long.run_wide(
            lambda fetch, view: predicates(fetch, running.dialect, view, limit=limit, after=after)
        )

    async def statistics(self) -> Statistics:
        running = self.running
        file = Path(settings.DATABASES["default"]["NAME"])
        return await running.long.run_wide(lambda fetch, view: statistics(fetch, running.dialect, file, view))

    @property
    def running(self) -> _Running:
        """This process's threads, started by the first who asks."""
        if self._running is None or self._running.pid != os.getpid():
            env = settings.ENV
            # Each thread keeps a connection; the keys and the admin need some of the pool too.
            query_threads = min(MAX_QUERY_THREADS, env.pool_size // 5)
            long_threads = min(MAX_LONG_THREADS, max(1, env.pool_size // 10))
            on_server = connection.vendor == "postgresql"
            self._running = _Running(
                os.getpid(),
                backend().dialect,
                (Writer if on_server or not env.enable_wal else PreparingWriter)(patience=env.pool_timeout),
                (Reader if on_server else InlineReader)("query", query_threads, env.query_timeout),
                Reader("long", long_threads, env.query_timeout),
                TermSearcher(backend().dialect, backend().term_index),
            )
        return self._running

    def close(self) -> None:
        """Commit what is queued and end the threads; the next use starts them again."""
        if self._running is not None and self._running.pid == os.getpid():
            self._running.writer.close()
            self._running.short.close()
            self._running.long.close()
        self._running = None


async def _run(reader: Reader, wanted: Wanted, read: WideRead[Result]) -> Result:
    """A read that wants asserted facts only costs what it would without any inferred."""
    if wanted.inferred:
        return await reader.run_wide(read)
    return await reader.run(lambda fetch: read(fetch, None))


graph = Graph()
