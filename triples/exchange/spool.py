"""Files that were sent to the service, on disk until they are imported."""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.conf import settings


def spool_file(*, delete: bool = True) -> IO[bytes]:
    """Make a file. As long as a process has it open, `remove_orphans` leaves it alone."""
    while True:
        file = tempfile.NamedTemporaryFile(dir=_folder(), delete=delete)  # noqa: SIM115  # the caller closes it
        # A lock is known to all processes of the host, whichever container they are in and whatever number they have.
        fcntl.flock(file, fcntl.LOCK_EX)
        if _has_name(file):
            return file
        # It was taken for an orphan before it was locked.
        with suppress(FileNotFoundError):
            file.close()


def remove_orphans() -> None:
    """Remove the files that no process has open: those of processes that were killed."""
    for path in _folder().iterdir():
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _has_name(file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(Path(file.name).stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _folder() -> Path:
    folder: Path = settings.ENV.state_dir / "spool"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
