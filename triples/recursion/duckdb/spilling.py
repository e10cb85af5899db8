"""Spill folders, for data that does not fit into memory.

Each evaluation has its own, and removes it when it ends. It also holds a lock on a file next to the folder. The kernel
releases the lock of a killed process, and the next evaluation removes the folder that this process left.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX, _LOCK = "spill-", ".lock"


@contextmanager
def spill_folder(parent: Path) -> Iterator[Path]:
    """Make a new folder in `parent`, and `parent` if need be; first remove the folders of dead processes."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_abandoned(parent)
    lock, descriptor = _locked(parent)
    folder = lock.with_suffix("")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        _remove(lock)
        os.close(descriptor)


def _locked(parent: Path) -> tuple[Path, int]:
    """A new lock file, and the descriptor that holds the lock."""
    while True:
        descriptor, name = tempfile.mkstemp(_LOCK, _PREFIX, parent)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Before it was locked, another process may have taken it for abandoned.
        if os.fstat(descriptor).st_nlink:
            return Path(name), descriptor
        os.close(descriptor)


def _remove_abandoned(parent: Path) -> None:
    for lock in parent.glob(f"{_PREFIX}*{_LOCK}"):
        with suppress(FileNotFoundError, BlockingIOError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(lock)


def _remove(lock: Path) -> None:
    """The folder before its lock, without which nobody would find it again."""
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    lock.unlink(missing_ok=True)
