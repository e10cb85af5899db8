"""The graph of this process: its writer and its readers, which start at the first use."""

import os
from asyncio import CancelledError
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from django.conf import settings

from triples import ids
from triples.query import reads
from triples.query.blocks import OutOfTime
from triples.query.explanations import Asserted, Node, explain
from triples.query.fact_rows import AnyRow, InferredRow
from triples.query.facts_by_key import fact, inferred_fact
from triples.query.finding_answers import Expired
from triples.query.graph_facts import GraphFacts
from triples.query.predicates import Predicate, predicates
from triples.query.reads import Matches, Position, Wanted
from triples.query.term_reads import FoundTerm, TermSearcher, WantedTerms
from triples.recursion.programs import Key
from triples.store.backend import backend
from triples.store.dialect import Dialect
from triples.store.inferred.read_snapshots import Read, ReadOfMoment, Result, VisibleFacts, in_snapshot
from triples.store.operations import NoSuchFact, Operation, Outcome, ReadTimeout, Row
from triples.store.reader_writer_interface import Reads, Writes
from triples.store.sessions import Fetch
from triples.store.statistics import Statistics, statistics

# More threads would only wait for each other: a query holds Python's lock nearly as long as the database.
MAX_QUERY_THREADS = 4
# Lists and statistics have threads of their own, so that /query never waits behind them.
MAX_LONG_THREADS = 2
# A search that may end early needs the rest of the time limit to answer with what it has found.
PART_OF_TIME = 0.8


class _Running(NamedTuple):
    """The threads of one process. They do not survive a fork, so `pid` tells whose they are."""

    pid: int
    dialect: Dialect
    writer: Writes
    short: Reads
    long: Reads
    searcher: TermSearcher

    @property
    def open_connections(self) -> int:
        return self.writer.open_connections + self.short.open_connections + self.long.open_connections


class Graph:
    """The store as the API's views use it, from the event loop."""

    def __init__(self) -> None:
        self._running: _Running | None = None

    async def write(self, operation: Operation) -> Outcome:
        """Commit an operation and return its outcome. Raises StoreError and database errors."""
        return await self.running.writer.write(operation)

    async def heaviest(self, wanted: Wanted, *, k: int, with_metadata: bool) -> Matches:
        """The k heaviest facts that match, and how many match in all."""
        running = self.running

        def read(fetch: Fetch, shown: VisibleFacts | None) -> Matches:
            return reads.heaviest(fetch, running.dialect, shown, wanted, k=k, with_metadata=with_metadata)

        # Where columns must be equal, facts are looked at one by one.
        reader = running.long if wanted.equal else running.short
        return await reader.run(_at_one_moment(read, wanted))

    async def page(self, wanted: Wanted, *, limit: int, after: Position | None) -> list[AnyRow]:
        """At most `limit` facts that match, in the order of `heaviest`, after the position."""
        running = self.running

        def read(fetch: Fetch, shown: VisibleFacts | None) -> list[AnyRow]:
            return reads.page(fetch, running.dialect, shown, wanted, limit=limit, after=after)

        return await running.long.run(_at_one_moment(read, wanted))

    async def counted_page(self, wanted: Wanted, *, limit: int, after: Position | None) -> tuple[list[AnyRow], int]:
        """Like `page`, with the number of all facts that match at that moment. ReadTimeout if it takes too long."""
        running = self.running

        def read(fetch: Fetch, shown: VisibleFacts | None) -> tuple[list[AnyRow], int]:
            rows = reads.page(fetch, running.dialect, shown, wanted, limit=limit, after=after)
            return rows, reads.total(fetch, running.dialect, shown, wanted)

        return await running.long.run(in_snapshot(read, always=True))

    async def fact(self, id_: int, created_ms: int) -> Row:
        """The asserted fact of this key and time, or NoSuchFact."""
        running = self.running
        row = await running.short.run(lambda fetch, _: fact(fetch, running.dialect, id_))
        if row is None or ids.fitting(row.created_ms) != created_ms:
            raise NoSuchFact
        return row

    async def inferred_fact(self, key: Key) -> InferredRow:
        """The inferred fact of these terms, or NoSuchFact."""
        running = self.running
        row = await running.short.run(
            in_snapshot(lambda fetch, shown: inferred_fact(fetch, running.dialect, shown, key))
        )
        if row is None:
            raise NoSuchFact
        return row

    async def explain(self, wanted: Asserted | Key, *, depth: int) -> Node:
        """The proof tree of a fact, or NoSuchFact."""
        running = self.running
        return await running.long.run(
            in_snapshot(lambda fetch, shown: explain(fetch, running.dialect, shown, wanted, depth=depth))
        )

    async def ask(self, read: Callable[[GraphFacts, Expired], Result], *, inferred: bool) -> Result:
        """The result of a read of the facts of one moment. It is told to end when most of the time limit has passed.

        `inferred` tells whether it also reads inferred facts. Raises ReadTimeout if the read has no result by then.
        """
        dialect = self.running.dialect
        end = monotonic() + PART_OF_TIME * settings.ENV.query_timeout
        # An interrupt has no effect between two statements, so this tells the thread that nobody waits any more.
        given_up = False

        def look(fetch: Fetch, shown: VisibleFacts | None) -> Result:
            visible = shown.filter if shown is not None and inferred else None
            try:
                return read(GraphFacts(fetch, dialect, visible), lambda: given_up or monotonic() > end)
            except OutOfTime:
                raise ReadTimeout from None

        try:
            return await self.running.long.run(in_snapshot(look, always=True))
        except CancelledError:
            given_up = True
            raise

    async def search_terms(self, wanted: WantedTerms) -> list[FoundTerm]:
        """The terms that match best, the best first."""
        running = self.running
        return await running.long.run(in_snapshot(lambda fetch, shown: running.searcher.search(fetch, shown, wanted)))

    async def predicates(self, *, limit: int, after: int) -> list[Predicate]:
        """At most `limit` predicates after this id, with the numbers of their facts."""
        running = self.running
        return await running.long.run(
            in_snapshot(lambda fetch, shown: predicates(fetch, running.dialect, shown, limit=limit, after=after))
        )

    async def statistics(self) -> Statistics:
        return await self.running.long.run(in_snapshot(statistics, always=True))

    @property
    def running(self) -> _Running:
        """This process's threads, which start at the first use."""
        if self._running is None or self._running.pid != os.getpid():
            env = settings.ENV
            # Each thread keeps a connection; the keys and the admin need some of the pool too.
            query_threads = min(MAX_QUERY_THREADS, env.pool_size // 5)
            long_threads = min(MAX_LONG_THREADS, max(1, env.pool_size // 10))
            self._running = _Running(
                os.getpid(),
                backend().dialect,
                backend().writer(env.pool_timeout),
                backend().short_reader(query_threads, env.query_timeout),
                backend().long_reader(long_threads, env.query_timeout),
                TermSearcher(backend().dialect, backend().term_index),
            )
        return self._running

    def close(self) -> None:
        """Commit all queued writes and end the threads. The next use starts them again."""
        if self._running is not None and self._running.pid == os.getpid():
            self._running.writer.close()
            self._running.short.close()
            self._running.long.close()
        self._running = None


def _at_one_moment(read: ReadOfMoment[Result], wanted: Wanted) -> Read[Result]:
    """The read, in a snapshot if it wants inferred facts. Otherwise it takes none, so that they cost it nothing."""
    return in_snapshot(read) if wanted.inferred else lambda fetch, _: read(fetch, None)


graph = Graph()
