"""Commands that the service starts and leaves to themselves."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from django.conf import settings


def start_detached(arguments: Sequence[str], variables: Mapping[str, str] | None = None) -> None:
    """Start a command of `manage.py`, with these variables or those of this process.

    The shell ends at once and leaves the process behind, so that nothing here has to wait for its end. In a session of
    its own, the process survives Ctrl-C in the service's terminal, and the end of the service.
    """
    subprocess.run(  # noqa: S603  # the command is this project's own
        ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=dict(os.environ if variables is None else variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )
