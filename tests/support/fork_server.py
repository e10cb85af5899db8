"""A process that has the libraries loaded and forks whatever Python program a test starts.

Half of a command's second, and of a service's three, is the import of libraries; a fork has them already. Nothing of
the project is loaded here, and no library that reads the environment or settings when it is imported, unless this is
the server of one kind of environment, whose commands, or services, then find the project loaded and set up too. They
read the settings anew, from their own environment. They are given to the test's process as its own children, so that
they are waited for, and signalled, as any other.

Run by `tests.support.processes`, with the number of a socket's file descriptor; `commands` or `services` behind it says
for which of them the project is loaded.
"""

import gc
import io
import json
import os
import runpy
import secrets
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import TypedDict

import coverage

from tests.support.own_settings import read_settings_anew

LARGEST_REQUEST = 1 << 20
LIBRARIES = (
    "asgiref.typing",
    "asyncio",
    "charset_normalizer",
    "concurrent.futures.thread",
    "corsheaders.middleware",
    "csp.middleware",
    "django.contrib.admin.decorators",
    "django.contrib.admin.views.decorators",
    "django.contrib.messages.middleware",
    "django.contrib.postgres.search",
    "django.contrib.sessions.middleware",
    "django.core.handlers.asgi",
    "django.core.management",
    "django.core.serializers.json",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.autodetector",
    "django.db.migrations.executor",
    "django.db.models",
    "django.forms",
    "django.template.loader",
    "django.test.signals",
    "django.urls",
    "django.views.generic",
    "drf_spectacular.drainage",
    "gunicorn.app.wsgiapp",
    "gunicorn.arbiter",
    "http.cookiejar",
    "httptools",
    "inflection",
    "jiter",
    "orjson",
    "packaging.version",
    "psycopg",
    "psycopg_pool",
    "pydantic",
    "pydantic_settings",
    "pygments.formatters",
    "requests",
    "rest_framework.serializers",
    "rich.progress",
    "rich.table",
    "servestatic.middleware",
    "sqlite3",
    "statistics",
    "structlog",
    "uritemplate",
    "urllib3",
    "uvicorn.main",
    "uvicorn_worker",
    "uvloop",
    "yaml",
)
# Nothing that a service's processes share by being forked after it was loaded, as `skg_site.server.worker` is.
PROJECT = {
    "commands": ("skg_site.urls",),
    "services": ("skg_site.asgi", "skg_site.api_urls", "skg_site.observe.urls", "skg_site.server.uvicorn_server"),
}


class Request(TypedDict):
    """A program to be run: `words` as they stand behind `python`."""

    words: list[str]
    folder: str
    environment: dict[str, str]
    umask: int
    new_session: bool


def serve(requests: socket.socket) -> tuple[Request, list[int]]:
    """Fork for each request; returns in the forks, with what to run and its standard streams."""
    while True:
        data, streams, _, _ = socket.recv_fds(requests, LARGEST_REQUEST, 3)
        if not data:
            sys.exit()
        held, released = os.pipe()
        told, tells = os.pipe()
        middle = os.fork()
        if middle == 0:
            process_id = os.fork()
            if process_id == 0:
                for descriptor in (released, told, tells, requests.detach()):
                    os.close(descriptor)
                # Until the process between is gone, and this is the test's own child.
                os.read(held, 1)
                os.close(held)
                return json.loads(data), list(streams)
            os.write(tells, str(process_id).encode())
            os._exit(0)
        os.waitpid(middle, 0)
        requests.sendall(os.read(told, 20))
        for descriptor in (*streams, held, released, told, tells):
            os.close(descriptor)


def become(request: Request, streams: list[int]) -> None:
    """Take on what a new process of that program would have been started with."""
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for descriptor in streams:
        os.close(descriptor)
    if request["new_session"]:
        os.setsid()
    os.umask(request["umask"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    encoding = "utf-8"
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding, line_buffering=os.isatty(1)
    )
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w", closefd=False)), encoding, "backslashreplace", line_buffering=True
    )
    # Who gives way to others is waited for very long beside a load that takes every processor.
    os.nice = _keep_priority
    coverage.process_startup(force=True)


def _keep_priority(_increment: int) -> int:
    return 0


def run(words: list[str]) -> None:
    """Do what `python` does with these words: a file, `-m` and a module, or `-c` and a program."""
    if words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        sys.modules["__main__"] = module = ModuleType("__main__")
        exec(compile(words[1], "<string>", "exec"), module.__dict__)  # as the interpreter does
    elif words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def set_up(kind: str) -> None:
    """Load what every command does, or every worker of a service."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "skg_site.settings"
    import_module("django").setup()
    for name in PROJECT[kind]:
        import_module(name)
    if kind == "services":
        # In production each worker loads it, and so has a beginning of its own for the ids of its requests.
        request_log = import_module("skg_site.observe.request_log")
        os.register_at_fork(after_in_child=lambda: setattr(request_log, "_PROCESS", secrets.token_hex(10)))


def main() -> None:
    # The terminal's Ctrl-C is for the tests, which end this process by closing the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in LIBRARIES:
        # What is not installed is not needed either.
        with suppress(ImportError):
            import_module(name)
    kind = "".join(sys.argv[2:])
    if kind:
        set_up(kind)
    # Garbage collection in a fork would write to every page that it shares with this process, and so copy them all.
    gc.collect()
    gc.freeze()
    requests = socket.socket(fileno=int(sys.argv[1]))
    requests.sendall(b"ready")
    request, streams = serve(requests)
    become(request, streams)
    if kind:
        # Before it reads the settings, which make folders, as every command and service does.
        import_module("skg_site.host.files").keep_files_private()
        read_settings_anew()
    run(request["words"])


if __name__ == "__main__":
    main()
