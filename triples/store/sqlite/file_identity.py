"""The identity of a SQLite database's files: device and inode, which differ for a file that replaced another.

Nothing here opens the database or its index. SQLite locks them by `fcntl`, and a process that closes any descriptor of
such a file releases all of its locks.
"""

import os
from pathlib import Path
from typing import NamedTuple


class Identity(NamedTuple):
    device: int
    inode: int


class Files(NamedTuple):
    """The files at the paths of the database, its log and the log's shared index; None for a missing file."""

    database: Identity | None
    log: Identity | None
    shared: Identity | None


def log_of(database: str | Path) -> str:
    return f"{database}-wal"


def index_of(database: str | Path) -> str:
    """The index of the log, which all processes that have the database open share in memory."""
    return f"{database}-shm"


def find_files(database: str | Path) -> Files:
    return Files(_identity(database), _identity(log_of(database)), _identity(index_of(database)))


def are_in_place(opened: Files, database: str | Path) -> bool:
    """True if the files that a connection opened are still at their paths.

    SQLite removes none of them while a process has them open. For a connection without a log, any log will do.
    """
    found = find_files(database)
    return opened.database == found.database and (
        opened.log is None or (opened.log == found.log and opened.shared == found.shared)
    )


def _identity(path: str | Path) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # after every commit: a Path object would take as long as the call
    except OSError:
        return None
    return Identity(found.st_dev, found.st_ino)
