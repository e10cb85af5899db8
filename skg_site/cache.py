"""Django's cache on this host: files, shared by all workers, with counters that never miss a count."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache


class HostCache(FileBasedCache):
    """Django's file cache, whose `add` and `incr` read and write in two steps, made atomic by a lock.

    django-ratelimit counts with these two.
    """

    @contextmanager
    def _lock(self) -> Iterator[None]:
        folder = Path(self._dir)  # type: ignore[attr-defined]  # private to Django's file cache
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._lock():
            return super().add(key, value, timeout, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        with self._lock():
            return super().incr(key, delta, version)
