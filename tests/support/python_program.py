"""A program `python` for shells, whose `manage.py` commands are forked from a process that has the project loaded."""

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.support.processes import PythonProcess

LARGEST_REQUEST = 1 << 20
# Of the interpreter alone, without its site, since it starts for each command.
CLIENT = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
    asked.connect({address!r})
    request = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(asked, [request], [0, 1, 2])
    sys.exit(int(asked.recv(10)))
"""
PROGRAM = """#!/bin/sh
if [ "$1" = manage.py ]; then
    exec {python} -I -S {client} "$@"
fi
exec {python} "$@"
"""


@contextmanager
def python_program(folder: Path) -> Iterator[Path]:
    """The program, in this folder, for as long as the block lasts."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)) as listener:
        listener.bind(str(folder / "python.socket"))
        listener.listen()
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        client = folder / "python_client.py"
        client.write_text(CLIENT.format(address=listener.getsockname()))
        program = folder / "python"
        program.write_text(PROGRAM.format(python=sys.executable, client=client))
        program.chmod(0o755)
        yield program
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket) -> None:
    while True:
        try:
            asked, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_run, args=(asked,), daemon=True).start()


def _run(asked: socket.socket) -> None:
    with closing(asked):
        data, streams, _, _ = socket.recv_fds(asked, LARGEST_REQUEST, 3)
        words, environment, folder = json.loads(data)
        stdin, stdout, stderr = streams
        pipes = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
        process = PythonProcess(words, env=environment, set_up=True, cwd=Path(folder), **pipes)
        for stream in streams:
            os.close(stream)
        code = process.wait()
        # As a shell tells of a signal.
        asked.sendall(str(code if code >= 0 else 128 - code).encode())
