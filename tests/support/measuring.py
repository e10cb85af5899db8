"""What of a run with coverage is traced: tracing code takes four to eight times as long as running it.

What only drives other processes, what pytest and hypothesis do, all but a property's first examples, all but the first
rows of a table that asks the database, and what is set up for any but a module's first test run without. So do the
processes that any but this first test starts, and on PostgreSQL the tests after it. What runs in other threads of a
test that is traced, and what a module of the project does when it is loaded, is traced all the same.
"""

import itertools
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from skg_site.env import BASE_DIR
from tests.support.environment import unmeasured
from tests.support.selection import PROCESS_FOLDERS, folder

# Of each property: what more of them find are values, hardly ever lines.
TRACED_EXAMPLES = 5
# Of each table whose rows ask the database, for the same reason.
TRACED_ROWS = 4

PROJECT = tuple(f"{BASE_DIR}/{package}/" for package in ("apikeys", "skg_site", "triples"))

_rows_untraced: set[str] = set()
_first_of_modules: set[str] = set()


def untraced() -> Generator[None, Any, Any]:
    """The rest of a pytest hook, without tracing: `return (yield from untraced())`."""
    # In this frame off and on again: the tracer counts the calls and returns that it sees.
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        with traced_loading(tracer):
            return (yield)
    finally:
        sys.settrace(tracer)


@contextmanager
def traced_loading(tracer: Any) -> Iterator[None]:
    """Trace the project's modules while they are loaded, which happens once, whoever needs them first."""
    load = SourceFileLoader.exec_module

    def exec_module(self: SourceFileLoader, module: ModuleType) -> None:
        if sys.gettrace() is not None or not self.path.startswith(PROJECT):
            load(self, module)
            return
        sys.settrace(tracer)
        try:
            load(self, module)
        finally:
            sys.settrace(None)

    with patch.object(SourceFileLoader, "exec_module", exec_module):
        yield


def traced_at_first(test: Callable[..., Any]) -> Callable[..., Any]:
    """The body of a property which, run without tracing, turns it on for its first examples."""
    tracer = sys.gettrace()
    turns = itertools.count()

    @wraps(test)
    def run(*arguments: Any, **named: Any) -> Any:
        if next(turns) >= TRACED_EXAMPLES:
            return test(*arguments, **named)
        sys.settrace(tracer)
        try:
            return test(*arguments, **named)
        finally:
            sys.settrace(None)

    return run


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, Any, Any]:
    return (yield from untraced())


def pytest_collection_finish(session: pytest.Session) -> None:
    rows = Counter[str]()
    modules = set[Path]()
    for item in session.items:
        function = item.nodeid.partition("[")[0]
        rows[function] += 1
        if rows[function] > TRACED_ROWS and "database" in getattr(item, "fixturenames", ()):
            _rows_untraced.add(item.nodeid)
        if item.path not in modules:
            modules.add(item.path)
            _first_of_modules.add(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    if item.nodeid in _first_of_modules:
        return (yield from _traced(item))
    # The processes that it starts have its environment, in which they would be told to measure.
    taken = {name: os.environ.pop(name) for name in os.environ.keys() - unmeasured(os.environ)}
    try:
        return (yield from _traced(item))
    finally:
        os.environ.update(taken)


def _traced(item: pytest.Item) -> Generator[None, Any, Any]:
    drives_processes = folder(item.path, item.config) in PROCESS_FOLDERS
    again = item.config.getoption("--database") == "postgresql" and item.nodeid not in _first_of_modules
    if again or drives_processes or item.nodeid in _rows_untraced or item.get_closest_marker("repetitive"):
        tracer = threading.gettrace()
        threading.settrace(None)
        try:
            return (yield from untraced())
        finally:
            threading.settrace(tracer)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield) if item.nodeid in _first_of_modules else (yield from untraced())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield) if item.nodeid in _first_of_modules else (yield from untraced())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    handle = getattr(getattr(item, "obj", None), "hypothesis", None)
    if handle is None:
        return (yield)
    test = handle.inner_test
    handle.inner_test = traced_at_first(test)
    try:
        return (yield from untraced())
    finally:
        handle.inner_test = test
