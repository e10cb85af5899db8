"""Which tests a pass has: what another has tried or will try is left out and, with --quick, what starts processes."""

import gc
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

# Where every test starts processes, and the fixtures that do.
PROCESS_FOLDERS = {"benchmarks", "browser", "deploy", "service"}
PROCESS_FIXTURES = {"fresh_database", "service", "valkey_server"}
# How a module gives this mark to tests.
BOTH = "pytest.mark.both"

# The test that runs, if it may start none.
_without_processes: list[pytest.Item] = []


def folder(path: Path, config: pytest.Config) -> str:
    """The folder below `tests` in which a module is, or the module itself."""
    return path.relative_to(config.rootpath / "tests").parts[0]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import modules of which no test is wanted."""
    if not collection_path.match("test_*.py"):
        return None
    processes = config.getoption("--quick") and folder(collection_path, config) in PROCESS_FOLDERS
    once = config.getoption("-m") == "both" and BOTH not in collection_path.read_text(encoding="utf-8")
    return True if processes or once else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect tests without looking for garbage, again and again among all of them, where there is none; nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for path in {item.path for item in items if item.get_closest_marker("both")}:
        if BOTH not in path.read_text(encoding="utf-8"):
            raise pytest.UsageError(f"{path} must say {BOTH}, or its tests are not run on PostgreSQL.")
    left_out: set[pytest.Item] = set()
    if config.getoption("--hypothesis-profile") != "long":
        left_out.update(item for item in items if item.get_closest_marker("long"))
    if config.getoption("--database") == "postgresql":
        left_out.update(item for item in items if item.get_closest_marker("once"))
    if config.getoption("--quick"):
        left_out.update(item for item in items if _starts_processes(item))
    if config.getoption("--database") == "sqlite" and not config.getoption("--instances"):
        # Who starts one all the same is told to say so, in whatever run it is noticed first.
        sys.addaudithook(_no_process)
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _starts_processes(item: pytest.Item) -> bool:
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return (
        item.get_closest_marker("process") is not None
        or folder(item.path, item.config) in PROCESS_FOLDERS
        or not PROCESS_FIXTURES.isdisjoint(fixtures)
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    if _starts_processes(item):
        return (yield)
    _without_processes.append(item)
    try:
        return (yield)
    finally:
        _without_processes.pop()


def _no_process(event: str, arguments: tuple[Any, ...]) -> None:
    # Libraries start others: `uuid` asks one for the network's address.
    if event == "subprocess.Popen" and arguments[0] == sys.executable and _without_processes:
        raise AssertionError(f"mark this test `process`, since it starts {arguments[0]}: --quick leaves those out")
