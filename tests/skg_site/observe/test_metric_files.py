"""What processes counted that have ended: kept, once, and in files whose number does not grow."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from skg_site.observe.metric_files import carry_over_the_ended, exposition
from tests.support.processes import PythonProcess

pytestmark = pytest.mark.process

# A process that counts to its argument and ends, by exit or by a crash.
COUNTING = """
import os, sys
from prometheus_client import Counter, Gauge, Histogram
Counter("seen_total", "Seen", ["kind"]).labels("a").inc(int(sys.argv[1]))
Histogram("size", "Size", buckets=(1, 10)).observe(int(sys.argv[1]))
Gauge("level", "Level", multiprocess_mode="livesum").set(int(sys.argv[1]))
print(flush=True)
sys.stdin.read()
os._exit(9)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


def start(number: int) -> "subprocess.Popen[bytes]":
    process = PythonProcess(
        ["-c", COUNTING, str(number)], env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    process.communicate()


def lines() -> set[str]:
    return {line for line in exposition().decode().splitlines() if not line.startswith("#")}


@pytest.fixture
def living(folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    process = start(5)
    yield process
    end(process)


def test_counts_outlive_their_process_and_gauges_do_not(folder: Path, living: "subprocess.Popen[bytes]") -> None:
    for number in (1, 2, 20):
        end(start(number))
    counted = lines() - {"level 28.0"}
    carry_over_the_ended()
    assert lines() == counted | {"level 5.0"}
    assert {'seen_total{kind="a"} 28.0', "size_count 4.0", "size_sum 28.0", 'size_bucket{le="1.0"} 1.0'} <= lines()


def test_the_number_of_files_does_not_grow(folder: Path, living: "subprocess.Popen[bytes]") -> None:
    sizes = set()
    for number in range(3):
        end(start(number))
        carry_over_the_ended()
        sizes.add(len(list(folder.iterdir())))
    assert len(sizes) == 1


def test_who_lives_goes_on_counting_in_its_own_files(folder: Path, living: "subprocess.Popen[bytes]") -> None:
    before = set(folder.glob(f"*_{living.pid}.db"))
    carry_over_the_ended()
    assert set(folder.glob(f"*_{living.pid}.db")) == before
    assert 'seen_total{kind="a"} 5.0' in lines()


def test_a_process_of_another_user_is_one_that_lives(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end(start(1))

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    carry_over_the_ended()
    assert not list(folder.glob("*_ended.db"))
