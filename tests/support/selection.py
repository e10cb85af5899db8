"""Which tests a pass has: what another has tried or will try is left out and, with --quick, what starts processes."""

import gc
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

# Where every test starts processes, and the fixtures that do.
PROCESS_FOLDERS = {"benchmarks", "browser", "deploy", "service"}
PROCESS_FIXTURES = {"fresh_database", "service", "valkey_server"}
# How a module gives this mark to tests.
BOTH = "pytest.mark.both"

_start = subprocess.Popen.__init__


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
    config.hook.pytest_deselected(items=list(left_out))
    # Begun last, a test with a time limit of its own, which takes long, would keep all other processes waiting.
    items[:] = sorted(
        (item for item in items if item not in left_out), key=lambda item: item.get_closest_marker("timeout") is None
    )


def _starts_processes(item: pytest.Item) -> bool:
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return (
        item.get_closest_marker("process") is not None
        or folder(item.path, item.config) in PROCESS_FOLDERS
        or not PROCESS_FIXTURES.isdisjoint(fixtures)
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Who starts a process without saying so is told to, in whatever run on SQLite it is noticed first."""
    if _starts_processes(item) or item.config.getoption("--database") != "sqlite":
        return (yield)
    # An audit hook would be called at all that is audited, the beginning of tracing too, where it lets another thread
    # in, which Python then refuses to trace.
    with patch.object(subprocess.Popen, "__init__", _start_another):
        return (yield)


def _start_another(self: "subprocess.Popen[Any]", args: Any, *others: Any, **named: Any) -> None:
    """Start a process, if it is not one of Python: libraries do, such as `uuid`, for the network's address."""
    first = args if isinstance(args, (str, bytes, Path)) else args[0]
    if sys.executable in {first, named.get("executable")}:
        raise AssertionError(f"mark this test `process`, since it starts {sys.executable}: --quick leaves those out")
    _start(self, args, *others, **named)
