"""Django's cache with atomic counters, for this host or, with SKG_REDIS_URL, for all hosts."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import structlog
from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django_prometheus.cache.metrics import django_cache_get_total, django_cache_hits_total, django_cache_misses_total

from skg_site.api.valkey import DEADLINE_SECONDS, PROBE_SECONDS

if TYPE_CHECKING:
    from django.core.cache.backends.redis import RedisCache

log = structlog.get_logger("skg.valkey")

Result = TypeVar("Result")

PREFIX = "skg:cache"
MISSING = object()


class HostCache(FileBasedCache):
    """Django's file cache with metrics, and a lock that makes `add` and `incr` atomic.

    django-ratelimit counts with these two. All workers of the host share the files. The metrics are those of
    django-prometheus. Its cache is not used: it takes a counter of 0 for a missing one.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _counted("filebased", super().get(key, MISSING, version), default)

    @property
    def _folder(self) -> Path:
        return Path(self._dir)  # type: ignore[attr-defined]  # private to Django's file cache

    def _createdir(self) -> None:
        """Make the cache's folder as Django does, but not the state's: that would hide its removal."""
        self._folder.mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self._createdir()
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._lock():
            return super().add(key, value, timeout, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        with self._lock():
            return super().incr(key, delta, version)


class SharedCache(BaseCache):
    """The cache of all hosts in Valkey; while that does not answer, the cache of this host."""

    # Of the process: Django makes a cache for each thread.
    down_until: ClassVar[float | None] = None

    def __init__(self, folder: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared = _in_valkey(settings.ENV.redis_url)
        self._host = HostCache(folder, params)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._use(lambda store: store.add(key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _counted("shared", self._use(lambda store: store.get(key, MISSING, version)), default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._use(lambda store: store.set(key, value, timeout, version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._use(lambda store: store.touch(key, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._use(lambda store: store.delete(key, version))

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._use(lambda store: store.incr(key, delta, version))

    def clear(self) -> None:
        """Remove the entries of this cache. The server has others."""

        def forget(store: BaseCache) -> None:
            if store is self._host:
                store.clear()
            else:
                client = self._shared._cache.get_client(write=True)  # Django's `clear` empties the whole server
                for name in client.scan_iter(f"{PREFIX}:*"):
                    client.delete(name)

        self._use(forget)

    def _use(self, act: Callable[[BaseCache], Result]) -> Result:
        from redis import RedisError  # noqa: PLC0415  # loaded only if there is a server

        until = SharedCache.down_until
        if until is None or monotonic() >= until:
            try:
                result = act(self._shared)
            except (RedisError, OSError) as error:
                SharedCache.down_until = monotonic() + PROBE_SECONDS
                if until is None:
                    log.warning("shared_cache_down", error=f"{type(error).__name__}: {error}")
            else:
                SharedCache.down_until = None
                return result
        return act(self._host)


@cache
def _in_valkey(url: str) -> "RedisCache":
    from django.core.cache.backends.redis import RedisCache  # noqa: PLC0415  # as above
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    options = {
        "socket_timeout": DEADLINE_SECONDS,
        "socket_connect_timeout": DEADLINE_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    return RedisCache(url, {"KEY_PREFIX": PREFIX, "TIMEOUT": 86_400, "OPTIONS": options})


def _counted(backend: str, found: Any, default: Any) -> Any:
    django_cache_get_total.labels(backend=backend).inc()
    if found is MISSING:
        django_cache_misses_total.labels(backend=backend).inc()
        return default
    django_cache_hits_total.labels(backend=backend).inc()
    return found
