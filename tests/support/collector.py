"""A collector of traces: takes what is sent to it as OTLP over HTTP, and keeps it."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATIENCE_SECONDS = 60


class Collector:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.raw = b""

        def keep(body: bytes) -> None:
            self.raw += body
            for one in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {item.key: item.value.string_value for item in one.resource.attributes}
                self.services.add(names["service.name"])
                self.spans += [span for scope in one.scope_spans for span in scope.spans]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                keep(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Tests have nobody to read it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator["Collector"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def in_trace(self, trace_id: str, found: Callable[[list[str]], bool]) -> list[Span]:
        """The spans of a trace, once their names satisfy `found`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            spans = [span for span in self.spans if span.trace_id.hex() == trace_id]
            if found([span.name for span in spans]):
                return spans
            assert time.monotonic() < deadline, [span.name for span in self.spans]
            time.sleep(0.05)


def attributes(span: Span) -> dict[str, Any]:
    return {item.key: getattr(item.value, str(item.value.WhichOneof("value"))) for item in span.attributes}
