"""The service record: a file in the state folder that names the files a service serves, and is locked meanwhile."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import NamedTuple

from skg_site.host.lone_host import this_host
from triples.store.sqlite.file_identity import Files, Identity

_BYTES = 512
_PAUSE_SECONDS = 0.02


class Record(NamedTuple):
    """The files of the last service, and the boot of the machine in which it recorded them."""

    files: Files
    host: str

    @property
    def is_of_this_boot(self) -> bool:
        return self.host == this_host()


def join(path: Path) -> tuple[int, bool]:
    """Open and lock the record. Returns its descriptor, and whether no other process serves.

    The first process holds the lock alone until `settle`, and the others wait. Closing the descriptor releases it.
    """
    descriptor = _open(path)
    while not (is_first := _lock(descriptor, fcntl.LOCK_EX)) and not _lock(descriptor, fcntl.LOCK_SH):
        sleep(_PAUSE_SECONDS)
    return descriptor, is_first


def settle(descriptor: int, files: Files) -> None:
    """Record the files, and let other processes join."""
    text = " ".join([this_host(), *(f"{one.device}:{one.inode}" if one else "-" for one in files)])
    # Overwritten in the same length, for which even a full disk has room.
    os.pwrite(descriptor, text.ljust(_BYTES - 1).encode() + b"\n", 0)
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def read_record(descriptor: int) -> Record | None:
    """Read the record. None if it is missing or incomplete."""
    try:
        host, *identities = os.pread(descriptor, _BYTES, 0).decode().split()
        return Record(Files(*map(_identity, identities)), host)
    except (ValueError, TypeError):
        return None


@contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """Open the record for reading. None if there has never been a service."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_served(descriptor: int) -> bool:
    """True if a service holds the record. The caller must close its descriptor soon, since this may lock it."""
    return not _lock(descriptor, fcntl.LOCK_EX)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _identity(text: str) -> Identity | None:
    if text == "-":
        return None
    device, inode = text.split(":")
    return Identity(int(device), int(inode))
