"""The memory of a process, as Linux counts it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Memory:
    """In bytes. `proportional` counts what processes share in equal parts; `own` is what no file stands behind.

    Of the rest, a page of a database that was read through a map is the kernel's, which takes it back when it likes.
    """

    resident: int
    proportional: int
    own: int


def memory(process: int) -> Memory:
    found: dict[str, int] = {}
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]:
        name, value, _ = line.split()
        found[name.rstrip(":")] = int(value) * 1024
    return Memory(found["Rss"], found["Pss"], found["Anonymous"])
