"""The destination of an import into another service: it sends batches, as fast as the key's limits allow."""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
import orjson

from triples.exchange.destinations import Destination, DestinationError, Stored
from triples.exchange.rate_limits import seconds_to_wait
from triples.exchange.rendering import fact_content
from triples.recursion.rules import place_document
from triples.store.bulk import Loaded
from triples.store.operations import Fact
from triples.visible import visible

REQUEST_SECONDS = 60
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0

# Statuses after which the same request may succeed.
_TRANSIENT = {429, 500, 502, 503, 504}


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: dict[str, Any]


class _NoAnswer(Exception):
    """The connection failed. The message says why."""


class RemoteService(Destination):
    """Sends facts to a service by `POST /triples/batch`.

    If the answer to a batch is lost, the batch is sent again. If it was stored, all of it then counts as duplicates.
    """

    def __init__(self, url: str, key: str, *, batch_size: int, patience: float) -> None:
        """`patience` is how many seconds to wait for a service that is down."""
        self._batch_size = batch_size
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._patience = patience
        self._last: Fact | None = None
        # The time of the next request, the time of the first failure since the last good answer, and the next pause.
        self._next_request = 0.0
        self._down_since: float | None = None
        self._next_pause = FIRST_PAUSE

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._connected())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._session.close())
        self._runner.close()

    @property
    def chunk_size(self) -> int:
        return self._batch_size

    @property
    def pause(self) -> float:
        return self._next_request - monotonic()

    def store(self, facts: Sequence[Fact]) -> Stored | None:
        body = orjson.dumps({"triples": [fact_content(*fact[:5]) for fact in facts], "skip_invalid": True})
        try:
            answer = self._post("/triples/batch", body)
        except _NoAnswer as error:
            self._put_off(str(error), None)
            return None
        if answer.status in _TRANSIENT:
            self._put_off(f"it answers {answer.status}", answer)
            return None
        if answer.status != 202:
            raise DestinationError(self._refusal(answer))
        self._down_since, self._next_pause = None, FIRST_PAUSE
        self._next_request = monotonic() + seconds_to_wait(answer.headers)
        self._last = facts[-1]
        try:
            return _stored(answer.content)
        except (KeyError, TypeError) as error:
            raise DestinationError(f"{self._url} does not answer as this service does.") from error

    def watermark(self) -> tuple[str, ...] | None:
        return None if self._last is None else self._last[:3]

    def keeps(self, watermark: tuple[Any, ...], /) -> bool:
        pattern = [place_document(text) for text in watermark]
        body = orjson.dumps({"pattern": pattern, "k": 1, "include_inferred": False})
        try:
            answer = self._post("/query", body)
        except _NoAnswer as error:
            raise DestinationError(f"{self._url} cannot be reached: {error}.") from None
        # False for a key that may not read, too: to begin anew costs time only.
        return answer.status == 200 and bool(answer.content.get("results"))

    async def _connected(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        return aiohttp.ClientSession(headers=self._headers, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    def _post(self, path: str, body: bytes) -> _Answer:
        try:
            return self._runner.run(self._posted(path, body))
        except aiohttp.ClientConnectorCertificateError as error:
            raise DestinationError(
                f"{self._url} has no certificate that can be trusted: {error.certificate_error}."
            ) from None
        except TimeoutError:
            raise _NoAnswer(f"no answer within {REQUEST_SECONDS} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _NoAnswer(str(error) or type(error).__name__) from None

    async def _posted(self, path: str, body: bytes) -> _Answer:
        # A redirect would send the key to another host.
        async with self._session.post(self._url + path, data=body, allow_redirects=False) as answer:
            text = await answer.read()
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError:
            content = None
        return _Answer(answer.status, answer.headers, content if isinstance(content, dict) else {})

    def _put_off(self, reason: str, answer: _Answer | None) -> None:
        """Schedule another try. Raises DestinationError after `patience`, without the waits for rate limits."""
        now = monotonic()
        asked = 0.0 if answer is None else seconds_to_wait(answer.headers)
        if answer is None or answer.status != 429:
            self._down_since = self._down_since or now
            if now - self._down_since >= self._patience:
                raise DestinationError(f"{self._url} cannot be reached: {visible(reason)}.")
        self._next_request = now + (asked or self._next_pause)
        self._next_pause = min(2 * self._next_pause, LONGEST_PAUSE)

    def _refusal(self, answer: _Answer) -> str:
        detail = visible(str(answer.content.get("detail", "")))
        sentence = f"{self._url} answers {answer.status}: {detail}".rstrip(": .") + "."
        if answer.status in {413, 422}:
            sentence += " It may take smaller batches only: --batch-size."
        return sentence


def _stored(content: dict[str, Any]) -> Stored:
    refused = [
        (int(item["index"]), "; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in item["errors"]))
        for item in content.get("error_details") or ()
    ]
    return Stored(Loaded(content["accepted"], 0, content["duplicates"]), refused)
