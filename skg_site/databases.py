"""Database connections: SQLite by default, PostgreSQL if SKG_DATABASE_URL is set."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dj_database_url

from skg_site.env import Settings

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

# How a server is noticed that is gone without a word: when nothing answers for this long, a connection counts as lost.
_KEEPALIVES = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}


def databases(env: Settings) -> dict[str, dict[str, Any]]:
    """Django's DATABASES."""
    if not env.database_url:
        return {"default": _sqlite(env)}
    replicas = {f"replica_{number}": _replica(url) for number, url in enumerate(env.database_replica_urls, 1)}
    # Only for what `triples.store.postgresql.connections` opens.
    direct = {"direct": _parsed(env.database_direct_url)} if env.database_direct_url else {}
    return {"default": _postgresql(env), **direct, **replicas}


def _sqlite(env: Settings) -> dict[str, Any]:
    pragmas = {
        "journal_mode": "WAL" if env.enable_wal else "DELETE",
        "synchronous": env.synchronous,
        "cache_size": env.cache_size,
        "temp_store": "MEMORY",
        # Under load, the same pages change again and again. Rare checkpoints save most of the work of copying them.
        # 8,000 pages are 32 MiB of log.
        "wal_autocheckpoint": 8000,
        "journal_size_limit": 1 << 26,
        # All workers read pages from the kernel's shared cache, without a copy for each connection. SQLite maps at most
        # 2 GiB.
        "mmap_size": 1 << 31,
    }
    return {
        "ENGINE": "triples.store.sqlite.engine",
        "NAME": env.db_path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "init_command": "".join(f"PRAGMA {name}={value};" for name, value in pragmas.items()),
            "timeout": env.pool_timeout,
            # Takes the write lock at BEGIN. A transaction that starts as a reader cannot wait for the lock.
            "transaction_mode": "IMMEDIATE",
        },
        "TEST": {"NAME": env.db_path.with_name("test_" + env.db_path.name)},
    }


def _postgresql(env: Settings) -> dict[str, Any]:
    pool = {
        "min_size": 1,
        "max_size": env.pool_size,
        "timeout": env.pool_timeout,
        # The pool tries once more after a second, and would then wait twice as long after each attempt: minutes after
        # the server is back, reads would still wait for a connection.
        "reconnect_timeout": 1.0,
        "reconnect_failed": _try_again,
    }
    # With health checks, the pool gives out no connection that the server has closed.
    parsed = _parsed(env.database_url, connect_timeout=5, **_KEEPALIVES)
    return parsed | {"OPTIONS": parsed["OPTIONS"] | {"pool": pool}, "CONN_HEALTH_CHECKS": True}


def _try_again(pool: "ConnectionPool[Any]") -> None:
    """Have the pool connect again for those who wait. Otherwise only the next who asks for a connection does that."""
    from psycopg_pool import PoolTimeout  # noqa: PLC0415  # where SQLite is used, nothing else loads it

    if pool.get_stats()["requests_waiting"]:
        with suppress(PoolTimeout):
            pool.putconn(pool.getconn(timeout=0.01))


def _replica(url: str) -> dict[str, Any]:
    # Each thread that reads a replica keeps its connection. A pool would wait for one that cannot be reached, and go on
    # trying; here a read fails at once, and goes to the primary.
    return _parsed(url, connect_timeout=2, **_KEEPALIVES) | {"CONN_MAX_AGE": None}


def _parsed(url: str, **defaults: Any) -> dict[str, Any]:
    """Django's settings of one database; the URL's own parameters replace `defaults`."""
    parsed = dict(dj_database_url.parse(url))
    given = dict(parsed.get("OPTIONS") or {})  # type: ignore[call-overload]  # the library types it as object
    # With bound values, the server plans a statement once for each connection.
    planned = {"server_side_binding": True, "prepare_threshold": 5}
    return parsed | {"ENGINE": "triples.store.postgresql.engine", "OPTIONS": defaults | given | planned}
