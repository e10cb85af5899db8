"""Processes that read and write files for a worker, which itself only passes bytes on.

So a large file takes no memory of the worker, and nothing of the time in which it answers others. A pipe that is full
makes the worker wait, and then the client.
"""

import asyncio
import os
import re
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from django.conf import settings

from skg_site.api.problems import FieldError, Unavailable
from skg_site.host.metrics_folder import VARIABLE as METRICS_FOLDER
from triples.exchange.option_names import as_parameters

# A client that finds no place tries again after this many seconds.
RETRY_SECONDS = 5


# How a command names an option that makes no sense.
_OPTION = re.compile(r"(?:Error: argument )?--([a-z-]+)(: )?")


def option_fault(sentence: str) -> FieldError:
    """The fault that a command told, as one of the parameter that became the option."""
    found = _OPTION.match(sentence)
    if found is None:
        return {"loc": [], "msg": as_parameters(sentence), "type": "option"}
    name = found[1].removeprefix("no-").replace("-", "_")
    msg = sentence[found.end() :] if found[2] else sentence.removeprefix("Error: argument ")
    return {"loc": [name], "msg": as_parameters(msg), "type": "option"}


class Places:
    """The places for these processes in a worker."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken = 0

    def take(self) -> None:
        """Take a place, or refuse the request with 503."""
        if self._taken >= self._most:
            raise Unavailable(f"There are {self._most} {self._what} at work already; try again.", RETRY_SECONDS)
        self._taken += 1

    def free(self) -> None:
        self._taken -= 1


IMPORTS, EXPORTS = Places(2, "imports"), Places(2, "exports")
# The tasks that wait for processes which nobody else waits for.
_left: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def command(arguments: Sequence[str], places: Places, *, reads: bool) -> AsyncIterator[Process]:
    """A command of `manage.py` that runs for a request, and has a place until it ends.

    With `reads` it is left to end by itself, after its standard input has been closed; else it is killed.
    """
    places.take()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "manage.py",
            *arguments,
            cwd=settings.BASE_DIR,
            # Its metrics would be files of their own, one for each request. The worker counts for it.
            env={name: value for name, value in os.environ.items() if name != METRICS_FOLDER},
            stdin=PIPE if reads else DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
    except BaseException:
        places.free()
        raise
    _limit_memory(process.pid)
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        elif process.returncode is None:
            process.kill()
        task = asyncio.create_task(_await_end(process, places))
        _left.add(task)
        task.add_done_callback(_left.discard)
        if process.stdin is None or process.returncode is not None:
            await asyncio.shield(task)


def _limit_memory(pid: int) -> None:
    """Limit what a process can allocate: a file of a megabyte may say that it has terabytes of facts."""
    most = settings.ENV.import_memory << 20
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


async def all_ended() -> None:
    """Wait for the processes that nobody else waits for."""
    while _left:
        await asyncio.wait(_left)


async def _await_end(process: Process, places: Places) -> None:
    try:
        await process.communicate()
    finally:
        places.free()
