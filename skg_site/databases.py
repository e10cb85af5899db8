"""Database connections: SQLite by default, PostgreSQL if SKG_DATABASE_URL is set."""

from typing import Any

import dj_database_url

from skg_site.env import Settings


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
    # The pool then gives out no connection that the server has closed.
    pool = {"min_size": 1, "max_size": env.pool_size, "timeout": env.pool_timeout}
    return _parsed(env.database_url, pool=pool) | {"CONN_HEALTH_CHECKS": True}


def _replica(url: str) -> dict[str, Any]:
    # Each thread that reads a replica keeps its connection. A pool would wait for one that cannot be reached, and go on
    # trying; here a read fails at once, and goes to the primary.
    options = {"connect_timeout": 2, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
    return _parsed(url, **options, tcp_user_timeout=10_000) | {"CONN_MAX_AGE": None}


def _parsed(url: str, **options: Any) -> dict[str, Any]:
    parsed = dict(dj_database_url.parse(url))
    given = dict(parsed.get("OPTIONS") or {})  # type: ignore[call-overload]  # the library types it as object
    # With bound values, the server plans a statement once for each connection.
    planned = {"server_side_binding": True, "prepare_threshold": 5}
    return parsed | {"ENGINE": "triples.store.postgresql.engine", "OPTIONS": given | options | planned}
