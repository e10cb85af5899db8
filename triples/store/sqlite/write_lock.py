"""One writer at a time on this host: a lock on a file beside the database.

SQLite lets writers in one at a time and makes the others sleep and try again, up to a tenth of a second a time; waiting
in the kernel's queue instead keeps every worker's writes flowing. Under a steady load of facts, SQLite's own way could
keep a revocation waiting for many seconds.
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
    """The lock if nobody has it, as a descriptor whose closing gives it back."""
    try:
        descriptor = _open()
    except OSError:
        # A caller that waits for the lock meets the same error, and reports it.
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def others_wait() -> bool:
    """Whether somebody waits for the lock, which the caller holds; True where the kernel does not tell.

    Asking the kernel costs those who wait nothing, and sees every process.
    """
    try:
        inode = _lock_file().stat().st_ino
        found = [line.split() for line in _LOCKS.read_text().splitlines() if f":{inode} " in line]
    except OSError:
        return True
    # After each lock come those who wait for it, marked by an arrow. Where not even the caller's own is in the list,
    # it is not the list of this system's locks.
    return not found or any("->" in words for words in found)


def _lock_file() -> Path:
    return settings.ENV.state_dir / "write.lock"


def _open() -> int:
    return os.open(_lock_file(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
