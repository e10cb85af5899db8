"""What OpenTelemetry's exporter says, in the log once a minute: that a collector is down is no news each second."""

import logging
from time import monotonic

import structlog

log = structlog.get_logger("skg.tracing")

SECONDS = 60.0
# With it come the addresses and the whole exception.
MAX_LENGTH = 300


class OnceAMinute(logging.Handler):
    """Logs the first of what it is told, and then at most once a minute with how much was left out."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next_at = 0.0
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        # One thread at a time: the caller holds the handler's lock.
        now = monotonic()
        if now < self._next_at:
            self._left_out += 1
            return
        self._next_at = now + SECONDS
        log.warning("traces_not_exported", error=record.getMessage()[:MAX_LENGTH], messages_left_out=self._left_out)
        self._left_out = 0


def quieten_exporter() -> None:
    """Send what the packages of OpenTelemetry log there, and nowhere else."""
    logger = logging.getLogger("opentelemetry")
    logger.propagate = False
    logger.handlers = [OnceAMinute()]
