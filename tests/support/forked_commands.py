"""Commands that the application starts for requests in this process, forked from a process that has the project loaded.

Each would load the project for a second. It is this process's child as any other: it can be killed, waited for and
limited. Services that run as processes start commands as in production.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from skg_site.host.metrics_folder import VARIABLE
from tests.support.processes import PythonProcess


@contextmanager
def forked_commands(folder: Path) -> Iterator[list[PythonProcess]]:
    """Fork commands as long as the block lasts; the list has those that have begun, and the folder their metrics."""
    metrics = folder / "metrics-of-commands"
    metrics.mkdir()
    begun: list[PythonProcess] = []

    def start(
        words: Sequence[str], *, shell: bool, universal_newlines: bool, env: dict[str, str], **options: Any
    ) -> "subprocess.Popen[bytes]":
        assert list(words[:2]) == [sys.executable, "manage.py"], words
        begun.append(PythonProcess(words[1:], env={**env, VARIABLE: os.fspath(metrics)}, set_up=True, **options))
        return begun[-1]

    # All that asyncio's event loop has of it.
    with mock.patch("asyncio.unix_events.subprocess", mock.Mock(wraps=subprocess, Popen=start, PIPE=subprocess.PIPE)):
        yield begun
