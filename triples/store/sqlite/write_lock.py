"""The write lock of SQLite: a file lock, which one writer on this host holds at a time.

SQLite itself makes a writer that has to wait sleep and try again, for up to a tenth of a second each time. Under a
steady load of facts, a revocation could wait for many seconds. The kernel's queue for this lock is fairer and faster.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

_LOCKS = Path("/proc/locks")


@contextmanager
def held_lock() -> Iterator[None]:
    """Wait for the lock and hold it."""
    descriptor = _open()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def take_free_lock() -> int | None:
    """Take the lock if it is free. Returns a descriptor; closing it releases the lock. None if the lock is held."""
    try:
        descriptor = _open()
    except OSError:
        # The caller then waits for the lock, meets the same error, and reports it.
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def others_wait() -> bool:
    """True if a process waits for the lock, which the caller holds. True if the kernel does not tell.

    The kernel's list has every process, and the processes that wait need not do anything for it.
    """
    try:
        inode = _lock_file().stat().st_ino
        found = [line.split() for line in _LOCKS.read_text().splitlines() if f":{inode} " in line]
    except OSError:
        return True
    # In the list, each lock is followed by the processes that wait for it, marked by an arrow. If not even the caller's
    # lock is there, it is not this system's list.
    return not found or any("->" in words for words in found)


def _lock_file() -> Path:
    return settings.ENV.state_dir / "write.lock"


def _open() -> int:
    return os.open(_lock_file(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
