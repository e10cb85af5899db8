"""A library's warnings in the log, at most one a minute: while a server is down, it repeats them without end."""

import logging
from time import monotonic

import structlog

SECONDS = 60.0
# The messages contain addresses and whole exceptions.
MAX_LENGTH = 300


class OnceAMinute(logging.Handler):
    """Logs the first message, then at most one a minute with the number of those left out."""

    def __init__(self, log_name: str, event: str) -> None:
        super().__init__(logging.WARNING)
        self._log = structlog.get_logger(log_name)
        self._event = event
        self._next_at = 0.0
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        # The caller holds the handler's lock, so one thread at a time is here.
        now = monotonic()
        if now < self._next_at:
            self._left_out += 1
            return
        self._next_at = now + SECONDS
        self._log.warning(self._event, error=record.getMessage()[:MAX_LENGTH], messages_left_out=self._left_out)
        self._left_out = 0


def once_a_minute(library: str, log_name: str, event: str) -> None:
    """Send the messages of a library to such a handler only."""
    logger = logging.getLogger(library)
    logger.propagate = False
    logger.handlers = [OnceAMinute(log_name, event)]
