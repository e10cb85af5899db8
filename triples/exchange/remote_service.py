"""The destination of an import into another service: it sends batches, as fast as the key's limits allow."""

from collections.abc import Sequence
from time import monotonic
from typing import Any, Self

import orjson

from skg_site.client import Client, ClientError, NoAnswer, Options, Refused, UnexpectedAnswer, UntrustedCertificate
from skg_site.client.answers import StoredBatch
from skg_site.client.uploading import batch
from triples.exchange.destinations import Destination, DestinationError, Stored
from triples.exchange.rendering import fact_content
from triples.recursion.rules import place_document
from triples.store.bulk import Loaded
from triples.store.operations import Fact
from triples.visible import visible

REQUEST_SECONDS = 60
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0

# Statuses after which the same request may succeed.
_TRANSIENT = {429, 500, 502, 503, 504}


class RemoteService(Destination):
    """Sends facts to a service by `POST /triples/batch`.

    If the answer to a batch is lost, the batch is sent again. If it was stored, all of it then counts as duplicates.
    """

    def __init__(self, url: str, key: str, *, batch_size: int, patience: float) -> None:
        """`patience` is how many seconds to wait for a service that is down."""
        self._batch_size = batch_size
        self._url = url
        # Each request is sent once: the import waits between two attempts, and can be interrupted meanwhile.
        self._client = Client(url, key, options=Options(timeout=REQUEST_SECONDS, patience=0))
        self._patience = patience
        self._last: Fact | None = None
        # The time of the next request, the time of the first failure since the last good answer, and the next pause.
        self._next_request = 0.0
        self._down_since: float | None = None
        self._next_pause = FIRST_PAUSE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def chunk_size(self) -> int:
        return self._batch_size

    @property
    def pause(self) -> float:
        return self._next_request - monotonic()

    def store(self, facts: Sequence[Fact]) -> Stored | None:
        body = orjson.dumps({"triples": [fact_content(*fact[:5]) for fact in facts], "skip_invalid": True})
        call = batch(body)
        try:
            answer = self._client.send(call)
        except ClientError as error:
            self._put_off(error, self._client.seconds_to_wait(call))
            return None
        self._down_since, self._next_pause = None, FIRST_PAUSE
        self._next_request = monotonic() + self._client.seconds_to_wait(call)
        self._last = facts[-1]
        try:
            return _stored(answer)
        except (KeyError, TypeError) as error:
            raise self._no_such_service() from error

    def watermark(self) -> tuple[str, ...] | None:
        return None if self._last is None else self._last[:3]

    def keeps(self, watermark: tuple[Any, ...], /) -> bool:
        try:
            found = self._client.query(*map(place_document, watermark), k=1, include_inferred=False)
        except NoAnswer as error:
            raise self._unreachable(error) from None
        except ClientError:
            # Such as a key that may not read: to begin anew costs time only.
            return False
        return bool(found.get("results"))

    def _put_off(self, error: ClientError, seconds: float) -> None:
        """Schedule another try. Raises DestinationError after `patience`, without the waits for rate limits."""
        status = error.status if isinstance(error, Refused | UnexpectedAnswer) else None
        if isinstance(error, UntrustedCertificate):
            raise DestinationError(
                f"{self._url} has no certificate that can be trusted: {visible(str(error))}"
            ) from None
        if status is not None and status not in _TRANSIENT:
            raise self._refusal(error, status)
        now = monotonic()
        if status != 429:
            self._down_since = self._down_since or now
            if now - self._down_since >= self._patience:
                raise self._unreachable(error)
        self._next_request = now + (error.retry_after or seconds or self._next_pause)
        self._next_pause = min(2 * self._next_pause, LONGEST_PAUSE)

    def _refusal(self, error: ClientError, status: int) -> DestinationError:
        if status < 300:
            return self._no_such_service()
        detail = visible(str(error.problem["detail"])) if isinstance(error, Refused) else ""
        sentence = f"{self._url} answers {status}: {detail}".rstrip(": .") + "."
        if status in {413, 422}:
            sentence += " It may take smaller batches only: --batch-size."
        return DestinationError(sentence)

    def _unreachable(self, error: ClientError) -> DestinationError:
        return DestinationError(f"{self._url} cannot be reached: {visible(str(error))}")

    def _no_such_service(self) -> DestinationError:
        return DestinationError(f"{self._url} does not answer as this service does.")


def _stored(content: StoredBatch) -> Stored:
    refused = [
        (item["index"], "; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in item["errors"]))
        for item in content.get("error_details") or ()
    ]
    return Stored(Loaded(content["accepted"], 0, content["duplicates"]), refused)
