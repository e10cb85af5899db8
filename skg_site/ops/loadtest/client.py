"""The HTTP client of a load.

It is not `skg_site.client`, which takes four times the processor time for a request, and sends again what is refused:
both would be measured.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import aiohttp
import orjson
from aiohttp.typedefs import Query


class Unreachable(Exception):
    """No answer came; the message is the reason in a word or two."""


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def retry_after(self) -> float:
        """The seconds to wait before asking again, as the answer says; 1 if it does not."""
        text = self.headers.get("Retry-After", "")
        return float(text) if text.isascii() and text.isdigit() else 1.0

    def content(self) -> Any:
        """The JSON of the body; None if it is not JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


class Client:
    """A limited number of connections, kept open from one request to the next."""

    def __init__(self, url: str, key: str | None, *, connections: int, timeout: float) -> None:
        self._url = url
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._timeout = timeout
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def post(self, path: str, body: bytes, *, seconds: float | None = None) -> Answer:
        """Send a request, and wait for its answer as long as the client does for all, or for these seconds."""
        return await self._send("POST", path, data=body, seconds=seconds)

    async def get(self, path: str, parameters: Mapping[str, str | int] | None = None) -> Answer:
        return await self._send("GET", path, parameters)

    async def _send(
        self,
        method: str,
        path: str,
        parameters: Query = None,
        data: bytes | None = None,
        seconds: float | None = None,
    ) -> Answer:
        limit = aiohttp.ClientTimeout(total=seconds or self._timeout)
        try:
            # A redirect could lead to a service that the user may not load.
            async with self._session.request(
                method, self._url + path, params=parameters, data=data, allow_redirects=False, timeout=limit
            ) as answer:
                body = await answer.read()
        except TimeoutError:
            raise Unreachable("timeout") from None
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, ConnectionRefusedError)
            raise Unreachable("connection refused" if refused else "no connection") from None
        except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError):
            raise Unreachable("connection broken") from None
        return Answer(answer.status, body, answer.headers)
