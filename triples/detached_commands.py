"""Commands that the service starts and leaves to themselves."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence

from django.conf import settings


def start_detached(
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    *,
    memory: int | None = None,
    keeps: Sequence[int] = (),
    died: Sequence[str] = (),
) -> None:
    """Start a command of `manage.py`, with these variables or those of this process.

    It may take so many MiB of `memory`, and keeps these open files, with the locks on them. `died` is a command that is
    run when a signal has ended it, with its exit code.

    The shell ends at once and leaves the process behind, so that nothing here has to wait for its end. In a session of
    its own, the process survives Ctrl-C in the service's terminal, and the end of the service.
    """
    manage = [sys.executable, "manage.py"]
    script = '"$@"'
    if memory is not None:
        script = f"(ulimit -d {memory << 10}; exec {script})"
    if died:
        # To the number of a signal the shell adds 128.
        script = f"{{ {script}; code=$?; [ $code -le 128 ] || {shlex.join([*manage, *died])} $code; }}"
    subprocess.run(  # noqa: S603  # the command is this project's own
        ["/bin/sh", "-c", f"{script} &", "sh", *manage, *arguments],
        cwd=settings.BASE_DIR,
        env=dict(os.environ if variables is None else variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=keeps,
        check=True,
    )
