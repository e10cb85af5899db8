"""The log: one JSON object a line, or a console format for people; both through structlog.

It goes to the standard error stream: the other one belongs to what a command was asked to print.
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
from triples.visible import visible, visible_json, visible_lines

# Local variables stay out of traces: among them are keys and the contents of requests.
_TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
_CONSOLE = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)

_JSON = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG hook: `level` a level's name, `format` `json` or `console`, `traced` if so."""
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
    """A stream that loses what it cannot write, as the standard library's handlers do: no line is worth a request.

    It writes past Python's buffer. A line for which the disk had no room would stay there, and the process, which tries
    it again at its end, would not end with 0.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: BinaryIO = getattr(stream.buffer, "raw", stream.buffer)

    def write(self, line: bytes | str) -> None:
        with suppress(OSError):
            self._stream.write(line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace"))

    def flush(self) -> None:
        """Nothing is kept."""


def _adopt_standard_logging(level: int, common: list[Processor], as_json: bool, stream: _Forgiving) -> None:
    """Give what Django, gunicorn and uvicorn log through the standard library the same shape."""
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
    # The API door writes its own line for each request.
    logging.getLogger("uvicorn.access").disabled = True


def _add_timestamp(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    # orjson writes it, in a tenth of the time that structlog's own takes to make a text of it.
    event["timestamp"] = datetime.now(UTC)
    return event


def _timestamp_text(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    event["timestamp"] = event["timestamp"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _trace_ids() -> Processor:
    """A processor that names the trace and the span in which the line was written."""
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span  # noqa: PLC0415  # often not needed

    def add(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        context = get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = format_trace_id(context.trace_id)
            event["span_id"] = format_span_id(context.span_id)
        return event

    return add


def _visible_values(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    # What clients send must not steer the terminal that shows it, nor begin a line of its own there.
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = visible_lines(value) if name == "event" else visible(value)
    return event


def _without_shown_key(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    if not event.keys().isdisjoint(REPEATING):
        without_shown_key(event)
    return event


def _foreign_without_shown_key(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    # What Django says of a request, it says in words, with the path or the Host among them.
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
