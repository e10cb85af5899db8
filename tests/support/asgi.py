"""An ASGI server's side of one request, message by message, for what no HTTP client does."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, MutableMapping
from typing import Any

import orjson

Message = MutableMapping[str, Any]
# Every framework types the protocol in words of its own.
Application = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]
Headers = Iterable[tuple[bytes, bytes]]


def http_scope(method: str = "GET", path: str = "/", *, query: bytes = b"", headers: Headers = ()) -> dict[str, Any]:
    """What a server tells of a request, as uvicorn does; `path` is decoded already."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"testserver"), *headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 7777),
    }


class Exchange:
    """A request on its way through an application: say what arrives, then look at what it answered."""

    def __init__(self, application: Application, scope: Message) -> None:
        self._arriving: asyncio.Queue[Message] = asyncio.Queue()
        self.scope = scope
        self.sent: list[Message] = []
        # Whether the application waits for a message.
        self.listening = asyncio.Event()
        self.idle = asyncio.Event()
        self.task = asyncio.create_task(application(scope, self._receive, self._send))

    def send(self, message: Message) -> None:
        self._arriving.put_nowait(message)

    def arrive(self, body: bytes, *, more: bool = False) -> None:
        self.send({"type": "http.request", "body": body, "more_body": more})

    def disconnect(self) -> None:
        self.send({"type": "http.disconnect"})

    async def finish(self) -> "Exchange":
        await self.task
        return self

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        """Header names in lower case; one that was sent twice is a mistake."""
        pairs = [(name.decode().lower(), value.decode()) for name, value in self.sent[0]["headers"]]
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def content(self) -> Any:
        return orjson.loads(self.body)

    async def _receive(self) -> Message:
        self.idle.clear()
        self.listening.set()
        try:
            return await self._arriving.get()
        finally:
            self.listening.clear()
            self.idle.set()

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


async def exchange(application: Application, scope: Message, body: bytes = b"") -> Exchange:
    """A request whose body arrives in one piece, answered."""
    one = Exchange(application, scope)
    one.arrive(body)
    return await one.finish()
