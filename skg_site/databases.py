"""How the service connects: SQLite by default, PostgreSQL when SKG_DATABASE_URL is set."""

from typing import Any

import dj_database_url

from skg_site.env import Settings


def databases(env: Settings) -> dict[str, dict[str, Any]]:
    """Django's DATABASES."""
    return {"default": _postgresql(env) if env.database_url else _sqlite(env)}


def _sqlite(env: Settings) -> dict[str, Any]:
    pragmas = {
        "journal_mode": "WAL" if env.enable_wal else "DELETE",
        "synchronous": env.synchronous,
        "cache_size": env.cache_size,
        "temp_store": "MEMORY",
        # Pages change again and again under load; carrying them over to the database less often saves most of
        # that work. 8,000 pages are 32 MiB of log.
        "wal_autocheckpoint": 8000,
        "journal_size_limit": 1 << 26,
        # Pages are read from the kernel's cache, which all workers share, instead of being copied into the cache of
        # each connection. SQLite maps two gigabytes at most.
        "mmap_size": 1 << 31,
    }
    return {
        "ENGINE": "triples.store.sqlite.engine",
        "NAME": env.db_path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "init_command": "".join(f"PRAGMA {name}={value};" for name, value in pragmas.items()),
            "timeout": env.pool_timeout,
            # Take the write lock at BEGIN: a transaction that turns from reader to writer cannot wait for it.
            "transaction_mode": "IMMEDIATE",
        },
        "TEST": {"NAME": env.db_path.with_name("test_" + env.db_path.name)},
    }


def _postgresql(env: Settings) -> dict[str, Any]:
    parsed = dict(dj_database_url.parse(env.database_url))
    options = dict(parsed.get("OPTIONS") or {})  # type: ignore[call-overload]  # the library types it as object
    options |= {
        "pool": {"min_size": 1, "max_size": env.pool_size, "timeout": env.pool_timeout},
        # Values travel apart from the statement, which the server then plans once for each connection.
        "server_side_binding": True,
        "prepare_threshold": 5,
    }
    return parsed | {
        "ENGINE": "triples.store.postgresql.engine",
        "OPTIONS": options,
        # The pool hands out no connection that the server has closed meanwhile.
        "CONN_HEALTH_CHECKS": True,
    }
