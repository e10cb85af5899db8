"""The file of the state folder in which a service notes which files it serves, locked for as long as it does."""

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
    """What the last service noted, and the start of the machine in which it did."""

    files: Files
    host: str

    @property
    def is_of_this_boot(self) -> bool:
        return self.host == this_host()


def join(path: Path) -> tuple[int, bool]:
    """The record's descriptor, locked until it is closed; and whether no other process serves.

    The first holds the lock alone until `settle`; the others wait for that.
    """
    descriptor = _open(path)
    while not (is_first := _lock(descriptor, fcntl.LOCK_EX)) and not _lock(descriptor, fcntl.LOCK_SH):
        sleep(_PAUSE_SECONDS)
    return descriptor, is_first


def settle(descriptor: int, files: Files) -> None:
    """Note the files, and let others join."""
    text = " ".join([this_host(), *(f"{one.device}:{one.inode}" if one else "-" for one in files)])
    # In place and always as long as before, for which a full disk has room.
    os.pwrite(descriptor, text.ljust(_BYTES - 1).encode() + b"\n", 0)
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def read_record(descriptor: int) -> Record | None:
    """None if there is none, or half of one."""
    try:
        host, *identities = os.pread(descriptor, _BYTES, 0).decode().split()
        return Record(Files(*map(_identity, identities)), host)
    except (ValueError, TypeError):
        return None


@contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """The record to be read; None where no service has ever been."""
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
    """Whether a service holds the record; the caller's own descriptor is closed soon after."""
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
