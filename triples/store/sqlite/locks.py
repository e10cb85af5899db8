"""SQLite: the locks of runs, copies and migrations, which are kernel locks on files in the state folder."""

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from triples.store.backend import Lease

# One file for all imports: each locks the byte at the number of its row.
_IMPORTS = "imports.lock"
# `struct flock` of Linux: the kind, from where the place counts, the place, the length, and a process.
_FLOCK = "hhqqi4x"


@contextmanager
def open_lease() -> Iterator[Lease]:
    with _opened("recursion.lock") as descriptor:
        yield Lease(lambda: _take(descriptor), None)


@contextmanager
def open_copy_lease() -> Iterator[Lease]:
    with _opened("copy.lock") as descriptor:
        yield Lease(lambda: _take(descriptor), None)


@contextmanager
def import_lock(run_id: int) -> Iterator[None]:
    with _opened(_IMPORTS) as descriptor:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, _byte(fcntl.F_RDLCK, run_id))
        yield


def is_import_locked(run_id: int) -> bool:
    with _opened(_IMPORTS) as descriptor:
        # The kernel answers with a lock that would be in the way of this one.
        found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _byte(fcntl.F_WRLCK, run_id))
    kind, *_ = struct.unpack(_FLOCK, found)
    return bool(kind != fcntl.F_UNLCK)


@contextmanager
def migration_lock(waiting: Callable[[], None]) -> Iterator[None]:
    with _opened("migrate.lock") as descriptor:
        if not _take(descriptor):
            waiting()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with connection.cursor() as cursor:
            if not connection.introspection.table_names(cursor):
                # `vacuum` needs this to return free pages in small steps. It must be set before there are tables.
                cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
                cursor.execute("VACUUM")
        yield


@contextmanager
def _opened(name: str) -> Iterator[int]:
    """Open a lock file. The lock is released when the descriptor is closed, after the block."""
    descriptor = os.open(settings.ENV.state_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _byte(kind: int, place: int) -> bytes:
    """A lock on a byte of a file, as the kernel is asked for it. The file need not be so long."""
    return struct.pack(_FLOCK, kind, os.SEEK_SET, place, 1, 0)


def _take(descriptor: int) -> bool:
    """Take the lock of an open file without waiting. Returns whether that worked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
