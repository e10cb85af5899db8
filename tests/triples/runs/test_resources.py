"""What a run takes of memory, disk and threads, as the system sees its process; and what a killed one leaves behind."""

import json
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from skg_site.env import BASE_DIR
from tests.conftest import FreshDatabase
from tests.support.environment import process_environment, service_variables
from tests.support.processes import PythonProcess
from tests.support.service import manage

# Of the engine: MiB and threads.
MEMORY, DISK, THREADS = 64, 24, 2
# Python, Django and the libraries take so many MiB; and the facts that are read and written stand beside the engine.
AROUND_THE_ENGINE = 300
# Beside the engine's, of which the main thread is one: the alarm, the one that looks whether the run is to be
# cancelled, and those that free memory and watch for Ctrl-C.
OTHER_THREADS = 4
# So many facts go into one term and come out of it.
HUB = 600


@dataclass
class Use:
    """What a process was seen to take at most, and how it ended."""

    memory: int = 0
    disk: int = 0
    threads: int = 0
    folders: set[Path] = field(default_factory=set)
    outcome: dict[str, Any] = field(default_factory=dict)


class Graph:
    """A database in a folder whose closure is all that goes into a hub with all that comes out of it."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.state = folder / "skg.state"
        self.variables = service_variables(
            folder, **settings, recursion_memory=MEMORY, recursion_disk=DISK, recursion_threads=THREADS
        )
        facts = folder / "facts.tsv"
        into = (f"in{number}\tto\thub\t{number / HUB / 2:.6f}\n" for number in range(1, HUB))
        out = (f"hub\tto\tout{number}\t{number / HUB:.6f}\n" for number in range(1, HUB))
        facts.write_text("".join([*into, *out]))
        rules = folder / "rules.json"
        rules.write_text(json.dumps([{"transitive": "to", "name": "to"}, {"symmetric": "near", "name": "near"}]))
        for command in (["import_triples", str(facts)], ["rules", "load", str(rules)]):
            assert manage(*command, variables=self.variables).returncode == 0

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        command = ["manage.py", "recurse", "--json", *options]
        environment = process_environment(self.variables)
        return PythonProcess(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *options: str) -> Use:
        use = Use()
        with self.start(*options) as process:
            while process.poll() is None:
                self.look(process.pid, use)
                time.sleep(0.01)
            out, told = process.communicate()
            assert process.returncode == 0, told
            use.outcome = json.loads(out)
        return use

    def look(self, process: int, use: Use) -> None:
        try:
            status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
        except (FileNotFoundError, ProcessLookupError):
            return
        if "VmHWM" in status:
            use.memory = max(use.memory, int(status["VmHWM"].split()[0]) >> 10)
            use.threads = max(use.threads, int(status["Threads"]))
        use.folders |= self.spilled
        use.disk = max(use.disk, sum(map(disk_use, self.spilled)) >> 20)

    @property
    def spilled(self) -> set[Path]:
        """The folders for what does not fit into memory."""
        return {folder for folder in self.state.glob("spill/*") if folder.is_dir()}


def disk_use(folder: Path) -> int:
    """Bytes that the files of a folder take. The run may remove them, and the folder, at any time."""
    total = 0
    with suppress(FileNotFoundError):
        for file in folder.iterdir():
            with suppress(FileNotFoundError):
                total += file.stat().st_blocks * 512
    return total


@pytest.fixture(scope="module")
def graph(fresh_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    folder = tmp_path_factory.mktemp("resources")
    return Graph(folder, fresh_database(folder))


def test_a_run_keeps_to_its_memory_disk_and_threads(graph: Graph) -> None:
    """From nothing, then compared with what stands, then of one rule beside the others."""
    uses = [graph.run(*options) for options in ([], ["--force"], ["--rule", "near", "--force"])]

    assert [use.outcome["status"] for use in uses] == ["succeeded"] * 3
    assert [use.outcome["facts"] for use in uses] == [(HUB - 1) ** 2] * 3
    for use in uses:
        assert use.memory <= MEMORY + AROUND_THE_ENGINE
        assert use.disk <= DISK
        assert THREADS <= use.threads <= THREADS + OTHER_THREADS
    # Each has had folders of its own, and all of those are gone.
    assert all(use.folders for use in uses)
    assert list((graph.state / "spill").iterdir()) == []
    assert not (BASE_DIR / ".tmp").exists()


def test_what_a_killed_run_put_on_disk_is_removed_by_the_next_one(graph: Graph) -> None:
    with graph.start("--force") as process:
        while not graph.spilled:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    [left] = graph.spilled
    (left / "duckdb_temp_storage-0.tmp").write_bytes(b"x" * 100)

    graph.run("--rule", "near", "--force")

    assert list((graph.state / "spill").iterdir()) == []
