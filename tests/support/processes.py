"""Python programs as processes of their own, forked from one that has the libraries loaded: see `fork_server`."""

import atexit
import ctypes
import inspect
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skg_site.env import BASE_DIR
from tests.support.environment import loading_environment, loads_as_usual, unmeasured
from tests.support.fork_server import Request

PR_SET_CHILD_SUBREAPER = 36
# Servers of one kind of environment each, and some 60 MiB.
MOST_SET_UP = 5
# What begins with the project loaded.
_KINDS = {"manage.py": "commands", "-m gunicorn": "services"}
# Threads start processes too.
_starting = threading.RLock()
_forking = threading.Lock()
ENDS = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")

_Server = tuple[socket.socket, "subprocess.Popen[bytes]"]
# The one that has libraries loaded, once it is needed, and those that have the project, too.
_servers: list[_Server] = []
_set_up_servers: dict[tuple[str, frozenset[tuple[str, str]]], _Server] = {}


class PythonProcess(subprocess.Popen[bytes]):
    """A Python program: `words` are what follows `python`; the rest is Popen's.

    A command or service with the usual settings begins with the project loaded and set up. `set_up` does so for other
    settings, too: for commands, of which several have the same.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        set_up: bool = False,
        cwd: Path = BASE_DIR,
        **options: Any,
    ) -> None:
        with _starting:
            kind = _KINDS.get(words[0] if words[0] == "manage.py" else " ".join(words[:2]))
            loaded = kind and (set_up or loads_as_usual(env))
            self._server = _set_up_server(kind, env) if kind and loaded else _fork_server()
        super().__init__(list(words), env=dict(env), cwd=cwd, **options)

    def _execute_child(self, *arguments: Any) -> None:
        """In place of Popen's, which forks this process and executes another program."""
        popen: Any = super()
        given = inspect.signature(popen._execute_child).bind(*arguments).arguments
        request: Request = {
            "words": given["args"],
            "folder": str(given["cwd"]),
            "environment": given["env"],
            "umask": _umask() if given["umask"] == -1 else given["umask"],
            "new_session": given["start_new_session"],
        }
        wanted = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        # Where Popen was told of none, the process has this one's.
        self.pid = _fork(self._server, request, [number if end == -1 else end for number, end in enumerate(wanted)])
        this: Any = self
        this._child_created = True
        this._close_pipe_fds(*(given[name] for name in ENDS))


def run_python(
    words: Sequence[str], *, env: Mapping[str, str], given: bytes = b"", timeout: float = 100, set_up: bool = False
) -> "subprocess.CompletedProcess[bytes]":
    """The program run to its end, with what it is given at its standard input and what it wrote."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with PythonProcess(words, env=env, set_up=set_up, **pipes) as process:
        try:
            stdout, stderr = process.communicate(given, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)


def _fork(server: socket.socket, request: Request, streams: Sequence[int]) -> int:
    """The id of a process that runs this, a child of this process."""
    with _forking:
        # The fork's parent ends at once, and the next ancestor that asks for it becomes its parent. Others are not
        # asked for: what a service leaves behind is not this process's to wait for.
        _adopt_orphans(wanted=True)
        try:
            socket.send_fds(server, [json.dumps(request).encode()], streams)
            return int(server.recv(20))
        finally:
            _adopt_orphans(wanted=False)


def _umask() -> int:
    """This process's, which can be read by setting it alone."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _fork_server() -> socket.socket:
    if not _servers:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Each fork begins its own measuring of coverage, and what servers load is measured in the tests.
        environment = unmeasured(os.environ)
        command = [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())]
        process = subprocess.Popen(command, cwd=BASE_DIR, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()
        assert ours.recv(20) == b"ready"
        _servers.append((ours, process))
    return _servers[0][0]


@atexit.register
def end_servers() -> None:
    """End the servers of this process, once it needs no more."""
    while _set_up_servers:
        _end(*_set_up_servers.popitem()[1])
    while _servers:
        _end(*_servers.pop())


def _set_up_server(kind: str, environment: Mapping[str, str]) -> socket.socket:
    """The server of this kind of environment; the few that were asked last are kept."""
    with tempfile.TemporaryDirectory(prefix="skg-tests-") as folder:
        loading = unmeasured(loading_environment(environment, Path(folder)))
        name = (kind, frozenset((key, value) for key, value in loading.items() if folder not in value))
        # Those that were asked longest ago stand first.
        found = _set_up_servers.pop(name) if name in _set_up_servers else _start_set_up_server(kind, loading)
    _set_up_servers[name] = found
    if len(_set_up_servers) > MOST_SET_UP:
        _end(*_set_up_servers.pop(next(iter(_set_up_servers))))
    return found[0]


def _start_set_up_server(kind: str, environment: Mapping[str, str]) -> _Server:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = PythonProcess(["-m", "tests.support.fork_server", "0", kind], env=environment, stdin=theirs)
    theirs.close()
    assert ours.recv(20) == b"ready"
    return ours, process


def _end(server: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    server.close()
    process.wait()


def _adopt_orphans(*, wanted: bool) -> None:
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0):
        raise OSError("prctl")
