"""The cycle of a request and its answer: uvicorn's, with heads that are mostly joined from known lines."""

from functools import lru_cache
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

from skg_site.api.door import SECURE_HEADERS
from skg_site.api.json_answers import JSON_TYPE

# These tell where an answer or its connection ends.
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})


class Cycle(RequestResponseCycle):
    """uvicorn checks and joins each header of each answer, which takes a tenth of the time of a short one.

    Most headers are the same in all answers. So the head of an answer whose length is known is made here, with the
    lines of such headers. uvicorn makes the others.
    """

    async def send(self, message: ASGISendEvent) -> None:
        is_head = message["type"] == "http.response.start" and not self.response_started
        if not is_head or self.flow.write_paused or self.disconnected or not self._send_head(message):
            await super().send(message)

    def _send_head(self, message: Any) -> bool:
        """Send the head; False if uvicorn has to."""
        headers = message["headers"]
        known = _KNOWN.get
        try:
            lines = [known(header) or self._line(*header) for header in headers]
        except ValueError:
            return False
        if self.chunked_encoding is None:
            return False
        self.response_started = True
        self.waiting_for_100_continue = False
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        first = STATUS_LINE[message["status"]], _first_lines(tuple(self.default_headers))
        self.transport.write(b"".join((*first, *lines, end)))
        return True

    def _line(self, name: bytes, value: bytes) -> bytes:
        """The line of a header that may differ from answer to answer; ValueError if uvicorn has to see to it."""
        if (lowered := name.lower()) in _FRAMING:
            if lowered != b"content-length" or self.chunked_encoding is not None:
                raise ValueError(name)
            self.expected_content_length = int(value)
            self.chunked_encoding = False
        return _checked_line(name, value)


def _checked_line(name: bytes, value: bytes) -> bytes:
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise ValueError(name)
    return b"%b: %b\r\n" % (name.lower(), value)


@lru_cache(maxsize=4)
def _first_lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """The lines of uvicorn's own headers, which change once a second."""
    return b"".join(_checked_line(name, value) for name, value in headers)


_KNOWN = {header: _checked_line(*header) for header in (*SECURE_HEADERS, JSON_TYPE)}
