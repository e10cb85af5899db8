"""The metrics files of the processes of this host: one set for each process, read together.

prometheus_client keeps the files of a process that has ended, or its counts would be lost. With workers that are
replaced, and commands that run every few minutes, there would be more files to read each day. So the counts of ended
processes are added up in one set of files.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from skg_site.host.metrics_folder import VARIABLE
from skg_site.host.processes import is_alive

# Counters and histograms outlive their process; a gauge does not.
KEPT = ("counter", "histogram")
ENDED = "ended"


def exposition() -> bytes:
    """Every metric of every process, in Prometheus's text format."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    # While counts are being added up, they would be seen twice or not at all, which looks like a restart.
    with _lock(fcntl.LOCK_SH):
        return generate_latest(registry)


def values_of(kind: str, metric: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """The samples of a counter or histogram of every process: name, labels and value. Buckets are not cumulative."""
    begin = json.dumps([metric])[:-1]
    with _lock(fcntl.LOCK_SH):
        for file in _folder().glob(f"{kind}_*.db"):
            for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]  # as above
                # A process has hundreds of other samples.
                if key.startswith(begin):
                    _, name, labels, _ = json.loads(key)
                    yield name, labels, value


def carry_over_the_ended() -> None:
    """Add the counts of processes that have ended to those of earlier ones."""
    ended = {pid for pid in _process_ids() if not is_alive(pid)}
    if not ended:
        return
    with _lock(fcntl.LOCK_EX):
        # Another worker may have done it meanwhile.
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


def _folder() -> Path:
    return Path(os.environ[VARIABLE])


@contextmanager
def _lock(how: int) -> Iterator[None]:
    with (_folder() / "lock").open("w") as file:
        fcntl.flock(file, how)
        yield
