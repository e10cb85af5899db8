"""The log: one JSON object a line, or a console format for people; both through structlog.

It goes to standard error: standard output belongs to what a command was asked to print.
"""

import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from skg_site.observe.masking import BEGINNING, REPEATING, masked, masked_for_people, without_shown_key
from skg_site.observe.once_a_minute import once_a_minute
from triples.visible import visible, visible_json, visible_lines

# Tracebacks omit local variables, which hold keys and the contents of requests.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
_CONSOLE = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)

_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG hook. Options: `level`, `format` (`json` or `console`), and `traced` for trace ids."""
    level = logging.getLevelNamesMapping()[options["level"]]
    as_json = options["format"] == "json"
    common: list[Processor] = [structlog.processors.add_log_level, _add_timestamp]
    if options.get("traced"):
        common.append(_trace_ids())
    common += [_TRACEBACKS, _without_shown_key] if as_json else [_timestamp_text, _without_shown_key, _visible_values]
    stream = _Forgiving(sys.stderr)
    structlog.configure(
        processors=[*common, _json_bytes if as_json else _console_text],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", stream))
        if as_json
        else structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _adopt_standard_logging(level, common, as_json, stream)


class _Forgiving:
    """A stream that drops what it cannot write, as the standard library's handlers do: no log line is worth a request.

    It bypasses Python's buffer: a line for which the disk had no room would stay there, and the process, which writes
    the buffer at its end, would not exit with 0.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: BinaryIO = getattr(stream.buffer, "raw", stream.buffer)

    def write(self, line: bytes | str) -> None:
        with suppress(OSError):
            self._stream.write(line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Nothing is buffered."""


def _adopt_standard_logging(level: int, common: list[Processor], as_json: bool, stream: _Forgiving) -> None:
    """Format the log lines of Django, gunicorn and uvicorn in the same way."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                *common,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(allow=["status_code"]),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _foreign_without_shown_key,
                _json_text if as_json else _console_text,
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The API door logs each request itself.
    logging.getLogger("uvicorn.access").disabled = True
    # A command that calls a service tells what comes of it, and not each request.
    logging.getLogger("httpx2").setLevel(max(level, logging.WARNING))
    # While PostgreSQL is down, each worker tries to connect twice a second.
    once_a_minute("psycopg.pool", "skg.database", "not_connected")


def _add_timestamp(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    # orjson formats it in a tenth of the time that structlog takes.
    event["timestamp"] = datetime.now(UTC)
    return event


def _timestamp_text(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    event["timestamp"] = event["timestamp"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _trace_ids() -> Processor:
    """A processor that adds the ids of the current trace and span."""
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span  # noqa: PLC0415  # often not needed

    def add(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        context = get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = format_trace_id(context.trace_id)
            event["span_id"] = format_span_id(context.span_id)
        return event

    return add


def _visible_values(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    # Text from clients must not control the terminal that shows it, or begin a line of its own there.
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = visible_lines(value) if name == "event" else visible(value)
    return event


def _without_shown_key(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    if not event.keys().isdisjoint(REPEATING):
        without_shown_key(event)
    return event


def _foreign_without_shown_key(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    # Django's messages about a request contain the path or the Host.
    without_shown_key(event, (*REPEATING, "event"))
    return event


def _json_bytes(_logger: WrappedLogger, _name: str, event: EventDict) -> bytes:
    line = orjson.dumps(event, default=str, option=_JSON)
    if BEGINNING in line:
        line = masked(line)
    return line if line.isascii() else visible_json(line.decode()).encode()


def _json_text(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return _json_bytes(logger, name, event).decode()


def _console_text(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return masked_for_people(_CONSOLE(logger, name, event))
