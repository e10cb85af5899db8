"""Files that were sent to the service, on disk until they are imported."""

import os
import tempfile
from pathlib import Path
from typing import IO

from django.conf import settings


def spool_file(*, delete: bool = True) -> IO[bytes]:
    """Make a file that is named after this process, by which `remove_orphans` knows it."""
    return tempfile.NamedTemporaryFile(dir=_folder(), prefix=f"{os.getpid()}.", delete=delete)


def remove_orphans() -> None:
    """Remove the files of processes that were killed."""
    for file in _folder().iterdir():
        owner = file.name.partition(".")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            file.unlink(missing_ok=True)


def _folder() -> Path:
    folder: Path = settings.ENV.state_dir / "spool"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
