"""Tests that run in several processes: all are run and told, once, whatever becomes of a process."""

import subprocess
import sys
from pathlib import Path

import pytest

from skg_site.env import BASE_DIR

pytestmark = pytest.mark.process

CONFTEST = """
from tests.support.several_processes import SeveralProcesses

def pytest_configure(config):
    config.pluginmanager.register(SeveralProcesses(3, lambda: None, lambda: None))
"""
TESTS = """
import os, time
from pathlib import Path
import pytest
from tests.support.several_processes import process_name

@pytest.fixture(scope="module", autouse=True)
def of_a_module():
    yield
    Path(f"ended-{process_name()}").touch()

@pytest.mark.parametrize("number", range(30))
def test_one(number):
    print("printed by", number)
    if number in {0, 10}:
        time.sleep(0.3)
    if number == 7:
        os.abort()
    if number == 13:
        pytest.skip("not this one")
    assert number != 29
    with Path("ran").open("a") as file:
        file.write(f"{number} {process_name()}\\n")
"""


def run(folder: Path, *options: str) -> str:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TESTS)
    plugins = [
        word for name in ("django", "asyncio", "cov", "xdist", "hypothesispytest") for word in ("-p", f"no:{name}")
    ]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        "/dev/null",
        "--rootdir",
        str(folder),
        *plugins,
        *options,
        str(folder),
    ]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(BASE_DIR)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    return done.stdout


def test_each_test_is_run_once_and_told_also_when_a_process_dies(tmp_path: Path) -> None:
    told = run(tmp_path)
    assert "2 failed, 27 passed, 1 skipped" in told
    assert "The process ended while it ran this: SIGABRT." in told
    assert "printed by 29" in told
    ran = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert sorted(int(number) for number, _ in ran) == [number for number in range(29) if number not in {7, 13}]
    # What the one that died had left was done by others, each of which ended what it had set up.
    names = {name for _, name in ran}
    assert len(names) >= 3
    assert len(names - {file.name.removeprefix("ended-") for file in tmp_path.glob("ended-*")}) <= 1


def test_no_more_are_begun_after_a_failure_that_is_to_be_the_last(tmp_path: Path) -> None:
    told = run(tmp_path, "-x")
    assert "stopping after" in told
