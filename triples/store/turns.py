"""This host's turn to write.

SQLite lets writers in one at a time and makes the others sleep and try again, up to a tenth of a second a time; waiting
in the kernel's queue instead keeps every worker's writes flowing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection


@contextmanager
def write_lock() -> Iterator[None]:
    """Wait for the turn and hold it. PostgreSQL needs none, and an outer transaction has its turn already."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    descriptor = _open()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def take_free_turn() -> int | None:
    """The turn at SQLite if nobody has it, as a descriptor whose closing gives it back."""
    descriptor = _open()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def lock_file() -> Path:
    return settings.ENV.state_dir / "write.lock"


def _open() -> int:
    return os.open(lock_file(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
