"""The tests in several processes, forked once all tests are collected, which would take each of them ten seconds.

Each process begins with its share of the tests, in their order, so that it sets up little of what several of them use;
whoever is done takes half of what another has left.
"""

import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, Never

import coverage
import pytest

# A process must know the next test when it ends one, to keep what both use.
AHEAD = 2

_name = "main"


def process_name() -> str:
    """The name of this process among those that run the tests."""
    return _name


@dataclass(eq=False)
class Child:
    process_id: int
    connection: "Connection[Any, Any]"
    queue: deque[int]
    # Those that it was given and has not finished.
    given: deque[int] = field(default_factory=deque)
    told_to_end: bool = False


class SeveralProcesses:
    """The plugin; `begin` gives a new process what must be its own, and `end` leaves nothing of it behind."""

    def __init__(self, number: int, begin: Callable[[], None], end: Callable[[], None]) -> None:
        self._number = number
        self._begin, self._end = begin, end
        self._started = 0
        self._children: list[Child] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.config.option.collectonly or session.testsfailed or not session.items:
            return None
        if (terminal := session.config.pluginmanager.get_plugin("terminalreporter")) is not None:
            terminal.showfspath = False
        count = len(session.items)
        places = [count * part // self._number for part in range(self._number + 1)]
        for first, end in pairwise(places):
            self._start(session, deque(range(first, end)))
        while self._children:
            for connection in wait([child.connection for child in self._children]):
                self._listen(session, next(child for child in self._children if child.connection is connection))
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        return True

    def _start(self, session: pytest.Session, queue: deque[int]) -> None:
        self._started += 1
        ours, theirs = Pipe()
        process_id = os.fork()
        if process_id == 0:
            for other in self._children:
                other.connection.close()
            ours.close()
            self._run(session, theirs, f"p{self._started}")
        theirs.close()
        child = Child(process_id, ours, queue)
        self._children.append(child)
        self._give(child)

    def _listen(self, session: pytest.Session, child: Child) -> None:
        try:
            reports = child.connection.recv()
        except (EOFError, ConnectionResetError):
            self._has_ended(session, child)
            return
        child.given.popleft()
        self._give(child)
        hook = session.config.hook
        for report in reports:
            found = hook.pytest_report_from_serializable(config=session.config, data=report)
            hook.pytest_runtest_logreport(report=found)
        if session.shouldfail or session.shouldstop:
            for other in self._children:
                other.queue.clear()

    def _give(self, child: Child) -> None:
        while len(child.given) < AHEAD and not child.told_to_end:
            if not child.queue:
                self._take_from_another(child)
            number = child.queue.popleft() if child.queue else None
            if number is None:
                child.told_to_end = True
            else:
                child.given.append(number)
            try:
                child.connection.send(number)
            except BrokenPipeError:
                # It is looked after when its end is heard.
                return

    def _take_from_another(self, child: Child) -> None:
        longest = max((other.queue for other in self._children), key=len)
        for _ in range((len(longest) + 1) // 2):
            child.queue.appendleft(longest.pop())

    def _has_ended(self, session: pytest.Session, child: Child) -> None:
        """The test that it was in has failed, if it was in one; another process goes on with the rest."""
        self._children.remove(child)
        child.connection.close()
        _, status = os.waitpid(child.process_id, 0)
        if not child.given:
            return
        item = session.items[child.given.popleft()]
        code = os.waitstatus_to_exitcode(status)
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        report = pytest.TestReport(
            item.nodeid, item.location, {}, "failed", f"The process ended while it ran this: {how}.", "call"
        )
        session.config.hook.pytest_runtest_logreport(report=report)
        if (rest := [*child.given, *child.queue]) and not (session.shouldfail or session.shouldstop):
            self._start(session, deque(rest))

    def _run(self, session: pytest.Session, connection: "Connection[Any, Any]", name: str) -> Never:
        """In the new process: run what it is given, to the end of the process."""
        global _name  # noqa: PLW0603  # this process has one name, from here on
        _name = name
        code = 1
        try:
            _leave_the_terminal(session.config)
            self._begin()
            reports = _Reports(session.config)
            session.config.pluginmanager.register(reports)
            _run_given(session, connection, reports)
            code = 0
        finally:
            if sys.exception() is not None:
                _capture(session.config).stop_global_capturing()
                traceback.print_exc()
            session._setupstate.teardown_exact(None)
            self._end()
            if (measured := coverage.Coverage.current()) is not None:
                measured.stop()
                measured.save()
            os._exit(code)


class _Reports:
    """Those of the test that runs. They are sent together, since each message wakes the first process."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._made: list[Any] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._made.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def taken(self) -> list[Any]:
        made, self._made = self._made, []
        return made


def _run_given(session: pytest.Session, connection: "Connection[Any, Any]", reports: _Reports) -> None:
    number = connection.recv()
    while number is not None:
        following = connection.recv()
        item, then = session.items[number], None if following is None else session.items[following]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=then)
        connection.send(reports.taken())
        number = following


def _leave_the_terminal(config: pytest.Config) -> None:
    """It is the first process's; what a test prints is caught in files of this process's own."""
    config.pluginmanager.unregister(name="terminalreporter")
    _capture(config).stop_global_capturing()
    _capture(config).start_global_capturing()


def _capture(config: pytest.Config) -> Any:
    return config.pluginmanager.get_plugin("capturemanager")
