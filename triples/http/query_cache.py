"""Cache of answers in Valkey, for all hosts. A cached one is used only if nothing has changed since.

PostgreSQL decides that: each answer is stored with the version of the database at which it was read, and is used only
if the database, asked after the request has arrived, still has that version. So if Valkey is killed, emptied, restored
from a copy or cut off from some hosts, the database answers the query. SQLite needs no cache: its queries cost less
than a call of another process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.db import Error as AnyDatabaseError
from prometheus_client import Counter
from rest_framework.request import Request

from skg_site.api.request import http_of
from skg_site.api.valkey import ValkeyDown, valkey
from triples.query.fact_rows import AnyRow, InferredRow
from triples.query.reads import Matches, Wanted
from triples.recursion.programs import Key
from triples.services.graph import graph
from triples.store.backend import backend
from triples.store.inferred.read_snapshots import ReadSnapshots
from triples.store.operations import Row, StoreError
from triples.store.sessions import Fetch

ASKED = Counter("skg_query_cache_total", "Questions looked up among the answers kept in Valkey", ["result"])
_HIT, _MISS = ASKED.labels("hit"), ASKED.labels("miss")

Result = TypeVar("Result")
Content = TypeVar("Content", bound=Mapping[str, Any])

# Increase it with each change of the stored form: hosts of two versions can share a Valkey.
FORMAT = 2
# Larger results cost more to fetch and to parse than they save.
MAX_BYTES = 256 * 1024

# Two statements see the same data exactly if their versions are equal. The snapshot names the visible transactions, and
# a write is acknowledged only after it is one of them. Transaction numbers are reused only if the server has lost some:
# after a crash, which ends with a new checkpoint, or after the start of another server in its place. A replica does not
# name the transactions; it has replayed the log up to a position, and shows all until then.
VERSION_SQL = """
SELECT concat_ws(' ',
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    extract(epoch FROM pg_postmaster_start_time()),
    (SELECT concat(timeline_id, ' ', checkpoint_lsn) FROM pg_control_checkpoint()),
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text ELSE pg_current_snapshot()::text END
)
"""

_keeping: set[asyncio.Task[None]] = set()


async def heaviest(wanted: Wanted, *, k: int, with_metadata: bool) -> Matches:
    """The result of `graph.heaviest`, from Valkey if it is cached there. Called only if the cache is used."""
    read = partial(graph.heaviest, wanted, k=k, with_metadata=with_metadata)
    return await _cached(name_of(*wanted, k, with_metadata), read, _content_of, _matches_of)


async def answer(request: Request, read: Callable[[], Awaitable[Content]]) -> Content:
    """The answer to a request, from Valkey if it is cached there: that of `read`, without the time it took.

    An answer that is not complete, since its time was over, is not kept.
    """
    if not is_used():
        return await read()
    http = http_of(request)
    return await _cached(name_of(http.path, http.body), read, _if_complete, lambda content: content)


def is_used() -> bool:
    return bool(settings.ENV.cache_ttl) and valkey.is_up and backend().caches_queries


def name_of(*question: object) -> str:
    """The name of an answer in Valkey."""
    return f"skg:query:{blake2b(repr((FORMAT, *question)).encode(), digest_size=16).hexdigest()}"


async def _cached(
    name: str, read: Callable[[], Awaitable[Result]], content_of: Callable[[Result], Any], of: Callable[[Any], Result]
) -> Result:
    """The result of `read`. `content_of` makes JSON of it, or None if it is not to be kept; `of` makes it of JSON."""
    version, kept = await asyncio.gather(database_version(), _kept(name))
    if kept is not None:
        read_at, content = _parsed(kept)
        if read_at == version:
            _HIT.inc()
            return of(content)
    _MISS.inc()
    result = await read()
    if (content := content_of(result)) is not None:
        task = asyncio.create_task(_keep(name, version, content))
        _keeping.add(task)
        task.add_done_callback(_keeping.discard)
    return result


def _parsed(kept: bytes | str) -> tuple[str | None, Any]:
    """The version and the content of what Valkey has; no version if something else has put it there."""
    try:
        read_at, content = orjson.loads(kept)
    except (ValueError, TypeError):
        return None, None
    return read_at, content


async def database_version() -> str:
    def read(fetch: Fetch, _: ReadSnapshots) -> str:
        version: str = fetch(VERSION_SQL, ())[0][0]
        return version

    return await graph.running.short.run(read)


async def _kept(name: str) -> bytes | str | None:
    try:
        return await valkey.call(lambda client: client.get(name))
    except ValkeyDown:
        return None


async def _keep(name: str, version: str, content: Any) -> None:
    """Store an answer, unless a change occurred while it was read: its statements can have different snapshots."""
    stored = orjson.dumps([version, content])
    # Failures are ignored: the question has been answered.
    with suppress(ValkeyDown, StoreError, AnyDatabaseError):
        if len(stored) <= MAX_BYTES and await database_version() == version:
            await valkey.call(lambda client: client.set(name, stored, px=round(settings.ENV.cache_ttl * 1000)))


def _if_complete(content: Content) -> Content | None:
    ended_early = content.get("complete_above") is not None or content.get("complete_within") is not None
    # A total that was asked for is null if there was no time to count.
    uncounted = "total" in content and content["total"] is None
    return None if ended_early or uncounted else content


def _content_of(matches: Matches) -> Any:
    return matches.total, matches.capped, [_values_of(row) for row in matches.rows]


def _values_of(row: AnyRow) -> list[Any]:
    return [list(row.key), *row[1:]] if isinstance(row, InferredRow) else list(row)


def _matches_of(content: Any) -> Matches:
    total, capped, rows = content
    return Matches([_row_of(row) for row in rows], total, capped)


def _row_of(values: list[Any]) -> AnyRow:
    first, *others = values
    return InferredRow(Key(*first), *others) if isinstance(first, list) else Row(first, *others)
