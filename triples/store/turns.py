"""This host's turn to write, and whether what was written counts.

SQLite lets writers in one at a time and makes the others sleep and try again, up to a tenth of a second a time; waiting
in the kernel's queue instead keeps every worker's writes flowing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db import connection


@contextmanager
def write_lock() -> Iterator[None]:
    """Wait for the turn and hold it. PostgreSQL needs none, and an outer transaction has its turn already.

    What is committed in the block counts once the block has ended: that raises OperationalError (UnfitDatabase) when
    the database's files are no longer in their place, as does its begin.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    descriptor = _open()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        require_in_place()
        yield
        require_in_place()
    finally:
        os.close(descriptor)


# These two are methods of the service's own backend (`triples.store.sqlite.engine`), which Django's type does not have.


def require_fit() -> None:
    """Before SQLite's files are opened beside Django: OperationalError (UnfitDatabase) if they are wrong ones."""
    cast("Any", connection).require_fit()


def require_in_place() -> None:
    """Raise OperationalError (UnfitDatabase) unless SQLite's files are those that this process has opened."""
    cast("Any", connection).require_in_place()


def take_free_turn() -> int | None:
    """The turn at SQLite if nobody has it, as a descriptor whose closing gives it back."""
    try:
        descriptor = _open()
    except OSError:
        # Whoever waits for the turn runs into it too, and says so.
        return None
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
