"""A server that answers what a test has written down: what services answer on bad days."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


class Script(BaseHTTPRequestHandler):
    """Answers what the test has written down, and from then on as a service that stores everything."""

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(orjson.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        server = self.server
        assert isinstance(server, ScriptedServer)
        server.requests.append((self.path, body))
        server.headers.append(self.headers)
        status, headers, content = server.answers.pop(0) if server.answers else (202, {}, None)
        if content is None:
            number = len((body or {}).get("triples", ()))
            content = orjson.dumps({"accepted": number, "duplicates": 0, "errors": 0, "results": [1]})
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Not on the test's screen."""


class ScriptedServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Script)
        self.answers: list[tuple[int, dict[str, str], bytes | None]] = []
        self.requests: list[tuple[str, Any]] = []
        self.headers: list[Message] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
