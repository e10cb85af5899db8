"""Another service as the destination of a migration: facts are sent to it in batches, as fast as it lets the key."""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
import orjson

from triples.exchange.destinations import Brought
from triples.exchange.rate_limits import seconds_to_wait
from triples.legacy.progress import Landmark
from triples.store.bulk import Loaded
from triples.store.operations import Fact
from triples.visible import visible

REQUEST_SECONDS = 60
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0

# Answers after which the same request may succeed: it came too early, or something on the way was down.
_TOO_EARLY = {429, 503}
_TRANSIENT = {*_TOO_EARLY, 500, 502, 504}


class ServiceError(Exception):
    """The service does not answer, or not so that the migration can go on; the message is a sentence."""


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: dict[str, Any]


class _NoAnswer(Exception):
    """The connection failed; the message says how."""


class RemoteService:
    """A batch that was stored although its answer was lost is sent again, and found to be all duplicates."""

    def __init__(self, url: str, key: str, *, batch_size: int, patience: float) -> None:
        """`patience` is for how many seconds a service that is down is waited for."""
        self.chunk_size = batch_size
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._patience = patience
        self._last: Fact | None = None
        # When the next request may be sent; since when there has been no good answer, and how long to pause then.
        self._turn = 0.0
        self._down_since: float | None = None
        self._pause = FIRST_PAUSE

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._connected())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._session.close())
        self._runner.close()

    def wait(self) -> None:
        if (seconds := self._turn - monotonic()) > 0:
            sleep(seconds)

    def bring(self, facts: Sequence[Fact]) -> Brought | None:
        body = orjson.dumps({"triples": [_content(fact) for fact in facts], "skip_invalid": True})
        try:
            answer = self._post("/triples/batch", body)
        except _NoAnswer as error:
            self._put_off(str(error), None)
            return None
        if answer.status in _TRANSIENT:
            self._put_off(f"it answers {answer.status}", answer)
            return None
        if answer.status != 202:
            raise ServiceError(self._refusal(answer))
        self._down_since, self._pause = None, FIRST_PAUSE
        self._turn = monotonic() + seconds_to_wait(answer.headers)
        self._last = facts[-1]
        try:
            return _brought(answer.content)
        except (KeyError, TypeError) as error:
            raise ServiceError(f"{self._url} does not answer as this service does.") from error

    def landmark(self) -> list[str] | None:
        return None if self._last is None else list(self._last[:3])

    def keeps(self, landmark: Landmark) -> bool:
        body = orjson.dumps({"pattern": landmark, "k": 1, "include_inferred": False})
        try:
            answer = self._post("/query", body)
        except _NoAnswer as error:
            raise ServiceError(f"{self._url} cannot be reached: {error}.") from None
        # A key that may not read cannot tell either. Beginning anew costs time only.
        return answer.status == 200 and bool(answer.content.get("results"))

    async def _connected(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        return aiohttp.ClientSession(headers=self._headers, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    def _post(self, path: str, body: bytes) -> _Answer:
        try:
            return self._runner.run(self._posted(path, body))
        except aiohttp.ClientConnectorCertificateError as error:
            raise ServiceError(
                f"{self._url} has no certificate that can be trusted: {error.certificate_error}."
            ) from None
        except TimeoutError:
            raise _NoAnswer(f"no answer within {REQUEST_SECONDS} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _NoAnswer(str(error) or type(error).__name__) from None

    async def _posted(self, path: str, body: bytes) -> _Answer:
        # A redirect would take the key to somebody else.
        async with self._session.post(self._url + path, data=body, allow_redirects=False) as answer:
            text = await answer.read()
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError:
            content = None
        return _Answer(answer.status, answer.headers, content if isinstance(content, dict) else {})

    def _put_off(self, reason: str, answer: _Answer | None) -> None:
        """Try again later; ServiceError once the patience is at its end, which a limit does not try."""
        now = monotonic()
        asked = 0.0 if answer is None else seconds_to_wait(answer.headers)
        if answer is None or answer.status != 429:
            self._down_since = self._down_since or now
            if now - self._down_since >= self._patience:
                raise ServiceError(f"{self._url} cannot be reached: {visible(reason)}.")
        self._turn = now + (asked or self._pause)
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _refusal(self, answer: _Answer) -> str:
        detail = visible(str(answer.content.get("detail", "")))
        sentence = f"{self._url} answers {answer.status}: {detail}".rstrip(": .") + "."
        if answer.status in {413, 422}:
            sentence += " It may take smaller batches only: --batch-size."
        return sentence


def _content(fact: Fact) -> dict[str, Any]:
    content = {"subject": fact.subject, "predicate": fact.predicate, "object": fact.object, "weight": fact.weight}
    if fact.metadata is not None:
        content["metadata"] = orjson.Fragment(fact.metadata)
    return content


def _brought(content: dict[str, Any]) -> Brought:
    refused = [
        (int(item["index"]), "; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in item["errors"]))
        for item in content.get("error_details") or ()
    ]
    return Brought(Loaded(content["accepted"], 0, content["duplicates"]), refused)
