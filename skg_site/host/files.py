"""Files of the service: readable by nobody else, complete, and safe on disk."""

import os
from pathlib import Path

# 0600 for files and 0700 for folders, also for those that libraries make: SQLite, DuckDB, prometheus_client.
_PRIVATE_UMASK = 0o077


def keep_files_private() -> None:
    """Hide the files of this process and its children from other users, whatever the umask was."""
    os.umask(_PRIVATE_UMASK)


def sync(path: Path) -> None:
    """Make a file or a folder safe on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_content(path: Path, content: bytes) -> None:
    """Give a file new content in one step. It is not made safe on disk: a power cut may leave anything of it."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.replace(path)
