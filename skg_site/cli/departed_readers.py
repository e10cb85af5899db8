"""The end of a command whose output nobody reads any more, such as `manage.py query … | head -1`.

Other programs are ended by SIGPIPE. That signal would also end a command whose connection to a database or to another
service breaks, and say nothing.
"""

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from skg_site.cli.exit_codes import after_signal

_STDOUT, _STDERR = 1, 2


@contextmanager
def quiet_end() -> Iterator[None]:
    """For a whole command: where its reader goes away, it ends at once, without a message, with SIGPIPE's exit code."""
    try:
        try:
            yield
        finally:
            # What is still buffered would fail where Python ends, which prints a complaint.
            sys.stdout.flush()
    except BrokenPipeError:
        departed = [stream for stream in (_STDOUT, _STDERR) if _is_unread(stream)]
        if not departed:
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in departed:
            os.dup2(nowhere, stream)
        sys.exit(after_signal(signal.SIGPIPE))


def reader_departed(error: BaseException) -> bool:
    """True for the error of a write to standard output or standard error that nobody reads."""
    return isinstance(error, BrokenPipeError) and (_is_unread(_STDOUT) or _is_unread(_STDERR))


def _is_unread(stream: int) -> bool:
    poll = select.poll()
    poll.register(stream, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
