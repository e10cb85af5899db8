"""Messages of OpenTelemetry's exporter in the log, at most once a minute while a collector is down."""

import logging
from time import monotonic

import structlog

log = structlog.get_logger("skg.tracing")

SECONDS = 60.0
# The messages contain addresses and whole exceptions.
MAX_LENGTH = 300


class OnceAMinute(logging.Handler):
    """Logs the first message, then at most one a minute with the number of those left out."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next_at = 0.0
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        # The caller holds the handler's lock, so one thread at a time is here.
        now = monotonic()
        if now < self._next_at:
            self._left_out += 1
            return
        self._next_at = now + SECONDS
        log.warning("traces_not_exported", error=record.getMessage()[:MAX_LENGTH], messages_left_out=self._left_out)
        self._left_out = 0


def quieten_exporter() -> None:
    """Send the messages of OpenTelemetry's packages to that handler only."""
    logger = logging.getLogger("opentelemetry")
    logger.propagate = False
    logger.handlers = [OnceAMinute()]
