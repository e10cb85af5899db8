"""Files of the service: readable by nobody else, complete, and safe on disk."""

import os
import pwd
from contextlib import suppress
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


def user_of(uid: int) -> str:
    """The name of a user, or the number of one that has none here."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def owned(path: Path) -> str:
    """A clause that names the owner of a file and the present user; an OSError if it cannot be found."""
    return f"{path} belongs to {user_of(path.stat().st_uid)}, and this is {user_of(os.geteuid())}"


def denial(error: OSError) -> str:
    """For a file of another user, which this one may not use, a sentence that names both; else nothing."""
    if not isinstance(error, PermissionError) or error.filename is None:
        return ""
    path = Path(os.fsdecode(error.filename))
    # Where the file is not there, or is hidden, its folder is what denies.
    for each in (path, *path.parents):
        with suppress(OSError):
            return "" if each.stat().st_uid == os.geteuid() else f" {owned(each)}."
    return ""
