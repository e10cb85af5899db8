"""Cache of query results in Valkey, for all hosts. A cached result is used only if nothing has changed since.

PostgreSQL decides that: each result is stored with the version of the database at which it was read, and is used only
if the database, asked after the request has arrived, still has that version. So if Valkey is killed, emptied, restored
from a copy or cut off from some hosts, the database answers the query. SQLite needs no cache: its queries cost less
than a call of another process.
"""

import asyncio
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from typing import Any

import orjson
from django.conf import settings
from django.db import Error as AnyDatabaseError
from prometheus_client import Counter

from skg_site.api.valkey import ValkeyDown, valkey
from triples.query.fact_rows import AnyRow, InferredRow
from triples.query.reads import Matches, Wanted
from triples.recursion.programs import Key
from triples.services.graph import graph
from triples.store.backend import backend
from triples.store.operations import Row, StoreError
from triples.store.sessions import Fetch

ASKED = Counter("skg_query_cache_total", "Queries looked up among the answers kept in Valkey", ["result"])
_HIT, _MISS = ASKED.labels("hit"), ASKED.labels("miss")

# Increase it with each change of the stored form: hosts of two versions can share a Valkey.
FORMAT = 1
# Larger results cost more to fetch and to parse than they save.
MAX_BYTES = 256 * 1024

# Two statements see the same data exactly if their versions are equal. The snapshot names the visible transactions, and
# a write is acknowledged only after it is one of them. Transaction numbers are reused only if the server has lost some:
# after a crash, which ends with a new checkpoint, or after the start of another server in its place.
VERSION_SQL = """
SELECT concat_ws(' ',
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    extract(epoch FROM pg_postmaster_start_time()),
    (SELECT concat(timeline_id, ' ', checkpoint_lsn) FROM pg_control_checkpoint()),
    pg_current_snapshot()
)
"""

_keeping: set[asyncio.Task[None]] = set()


async def heaviest(wanted: Wanted, *, k: int, with_metadata: bool) -> Matches:
    """The result of `graph.heaviest`, from Valkey if it is cached there."""
    read = partial(graph.heaviest, wanted, k=k, with_metadata=with_metadata)
    if not (settings.ENV.cache_ttl and valkey.is_up) or not backend().caches_queries:
        return await read()
    name = name_of(wanted, k, with_metadata=with_metadata)
    version, kept = await asyncio.gather(database_version(), _kept(name))
    if (matches := _matches_at(version, kept)) is not None:
        _HIT.inc()
        return matches
    _MISS.inc()
    matches = await read()
    task = asyncio.create_task(_keep(name, version, matches))
    _keeping.add(task)
    task.add_done_callback(_keeping.discard)
    return matches


def name_of(wanted: Wanted, k: int, *, with_metadata: bool) -> str:
    """The name of the result in Valkey."""
    question = repr((FORMAT, *wanted, k, with_metadata))
    return f"skg:query:{blake2b(question.encode(), digest_size=16).hexdigest()}"


async def database_version() -> str:
    def read(fetch: Fetch) -> str:
        version: str = fetch(VERSION_SQL, ())[0][0]
        return version

    return await graph.running.short.run(read)


async def _kept(name: str) -> bytes | str | None:
    try:
        return await valkey.call(lambda client: client.get(name))
    except ValkeyDown:
        return None


async def _keep(name: str, version: str, matches: Matches) -> None:
    """Store the result, unless a change occurred while it was read: its statements can have different snapshots."""
    content = _content_of(version, matches)
    # Failures are ignored: the query has been answered.
    with suppress(ValkeyDown, StoreError, AnyDatabaseError):
        if len(content) <= MAX_BYTES and await database_version() == version:
            await valkey.call(lambda client: client.set(name, content, px=round(settings.ENV.cache_ttl * 1000)))


def _content_of(version: str, matches: Matches) -> bytes:
    return orjson.dumps([version, matches.total, matches.capped, [_values_of(row) for row in matches.rows]])


def _values_of(row: AnyRow) -> list[Any]:
    return [list(row.key), *row[1:]] if isinstance(row, InferredRow) else list(row)


def _matches_at(version: str, kept: bytes | str | None) -> Matches | None:
    """The cached result, if it was read at this version of the database."""
    if kept is None:
        return None
    read_at, total, capped, rows = orjson.loads(kept)
    return Matches([_row_of(row) for row in rows], total, capped) if read_at == version else None


def _row_of(values: list[Any]) -> AnyRow:
    first, *others = values
    return InferredRow(Key(*first), *others) if isinstance(first, list) else Row(first, *others)
