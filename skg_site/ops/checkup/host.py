"""Checks of this host: free disk space, the last backup, the log, and files that hold secrets."""

import os
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from skg_site.cli.durations import duration_text
from skg_site.host.backup_record import read_backup_record
from skg_site.ops.checkup.findings import (
    Finding,
    Limits,
    bad_if_large,
    bad_if_small,
    failed,
    not_applicable,
    ok,
    warning,
)
from triples.visible import visible

# At most this much of a log is read, from its end.
MOST_LOG_BYTES = 256 << 20

# Seconds by which a clock may be set back without a word.
_CLOCK_STEP = 60

_ERRORS = {b"error", b"critical"}


def check_disk(folder: Path, limits: Limits) -> Finding:
    """Compare the free share of the disk, or of its files, with the limits."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    status = os.statvfs(there)
    room = status.f_bavail / max(status.f_blocks, 1)
    # Some file systems have no fixed number of files.
    files = status.f_favail / status.f_files if status.f_files else 1.0
    free = status.f_bavail * status.f_frsize / (1 << 30)
    text = f"{free:,.1f} GiB of {there} are free, {room:.0%}"
    if files < room:
        text += f", and {files:.0%} of its files"
    return bad_if_small(min(room, files), limits, f"{text}.")


def check_backup(state_dir: Path, limits: Limits) -> Finding:
    try:
        backup = read_backup_record(state_dir)
    except ValueError:
        return failed(f"The record of the last backup in {state_dir} is damaged.")
    if backup is None:
        return warning("manage.py backup has made no backup on this host.")
    age = (datetime.now(UTC) - backup.finished_at).total_seconds()
    if "://" not in backup.file and not Path(backup.file).exists():
        return failed(f"The last backup, {backup.file}, is not there any more.")
    if age < -_CLOCK_STEP:
        return warning(
            f"The last one is dated {duration_text(age)} in the future: {backup.file}. A clock was or is wrong."
        )
    size = backup.bytes / (1 << 20)
    return bad_if_large(age, limits, f"The last one is {duration_text(age)} old: {backup.file}, {size:,.1f} MiB.")


def check_log(file: Path | None, window: timedelta, most: int) -> Finding:
    if file is None:
        return not_applicable("--log FILE looks for errors in the service's JSON log.")
    since = datetime.now(UTC) - window
    events = [event for line in _lines(file) if (event := _error(line, since)) is not None]
    where = f"in the last {duration_text(window.total_seconds())} of {file}"
    if not events:
        return ok(f"No error {where}.")
    text = f"{len(events)} error{'s' * (len(events) > 1)} {where}; the last: {visible(events[-1])}."
    return failed(text) if len(events) > most else ok(text)


def check_secrets(files: Iterable[Path]) -> Finding:
    """Warn of files that others than the owner and the group may read or write."""
    looked_at, open_ = 0, []
    for file in files:
        try:
            mode = file.stat().st_mode
        except FileNotFoundError:
            continue
        looked_at += 1
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            open_.append(f"{file} ({stat.filemode(mode)})")
    if open_:
        return warning(f"Everybody on this host may read: {', '.join(open_)}. Use chmod o-rwx.")
    return ok(f"{looked_at} files with secrets or facts are closed to others.")


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        if file.stat().st_size > MOST_LOG_BYTES:
            stream.seek(-MOST_LOG_BYTES, os.SEEK_END)
        yield from stream


def _error(line: bytes, since: datetime) -> str | None:
    """The event of a line if it is an error since then. Any other line gives None, even one that is not JSON."""
    # Most lines are of successful requests.
    if not any(level in line for level in _ERRORS):
        return None
    try:
        content = orjson.loads(line)
        if content["level"].encode() in _ERRORS and datetime.fromisoformat(content["timestamp"]) >= since:
            return str(content["event"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return None
