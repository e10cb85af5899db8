"""The files in which the processes of this host count, one set for each process, read as one.

prometheus_client never forgets the files of a process that has ended, or what it counted would be lost; with workers
that are replaced and commands that run every few minutes there would be more of them to read each day. So what the
ended counted is carried over into one set of files.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from skg_site.host.shared_memory import VARIABLE

# What goes on counting after its process: counters and histograms. A gauge is of a process that lives.
KEPT = ("counter", "histogram")
ENDED = "ended"


def exposition() -> bytes:
    """Every metric of every process, in Prometheus's text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    # In the middle of being carried over, counts would be seen twice or not at all, which looks like a restart.
    with _lock(fcntl.LOCK_SH):
        return generate_latest(registry)


def carry_over_the_ended() -> None:
    """Add what processes counted that have ended to the counts of those before them."""
    ended = {pid for pid in _process_ids() if not _is_alive(pid)}
    if not ended:
        return
    with _lock(fcntl.LOCK_EX):
        # Another worker may have been here meanwhile.
        for pid in ended & _process_ids():
            for kind in KEPT:
                _add(_folder() / f"{kind}_{pid}.db", _folder() / f"{kind}_{ENDED}.db")
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # as above


def _add(source: Path, total: Path) -> None:
    if not source.exists():
        return
    values = MmapedDict(str(total))  # type: ignore[no-untyped-call]  # as above
    try:
        for key, value, moment, _ in MmapedDict.read_all_values_from_file(str(source)):  # type: ignore[no-untyped-call]  # as above
            before, _moment = values.read_value(key)  # type: ignore[no-untyped-call]  # as above
            values.write_value(key, before + value, moment)  # type: ignore[no-untyped-call]  # as above
    finally:
        values.close()  # type: ignore[no-untyped-call]  # as above
    source.unlink()


def _process_ids() -> set[int]:
    names = (file.stem.rpartition("_")[2] for file in _folder().glob("*.db"))
    return {int(name) for name in names if name.isdecimal()}


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _folder() -> Path:
    return Path(os.environ[VARIABLE])


@contextmanager
def _lock(how: int) -> Iterator[None]:
    with (_folder() / "lock").open("w") as file:
        fcntl.flock(file, how)
        yield
