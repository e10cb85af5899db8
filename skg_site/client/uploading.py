"""Adding many facts: batches that keep to the service's sizes, what came of each fact, and progress."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypedDict

from .answers import FieldError, StoredBatch
from .batches import Batches, Item
from .calls import Call, Steps
from .errors import AddManyStopped, ClientError, Refused
from .progress_bar import progress_bar
from .values import NewFact
from .waits import OnWait, Wait

# Sizes that any service takes by its defaults (SKG_MAX_BATCH_SIZE, SKG_MAX_BODY_BYTES).
BATCH_SIZE = 100
BATCH_BYTES = 1024 * 1024


class Progress(NamedTuple):
    """The progress of `add_many`. `wait` is the pause that begins, if one does; `total` is as it was given."""

    done: int
    total: int | None
    wait: Wait | None


class UploadOptions(TypedDict, total=False):
    """Options of `add_many`.

    `batch_size` and `batch_bytes` are the most facts and bytes in a request; a service that takes less is asked with
    less. `total` is how many facts there are, for the progress. `progress` is told of each batch and each pause; True
    draws a bar with the package rich, if it is installed.
    """

    batch_size: int
    batch_bytes: int
    total: int | None
    progress: Callable[[Progress], None] | bool


@dataclass(frozen=True, slots=True)
class RefusedFact:
    """A fact that was not stored, its place among those that were given, from 0, and what is wrong with it."""

    index: int
    fact: NewFact
    errors: list[FieldError]


@dataclass(slots=True)
class AddedMany:
    """The outcome for all facts. A batch that was sent again after a broken connection may count as duplicates."""

    accepted: int = 0
    duplicates: int = 0
    refused: list[RefusedFact] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.accepted + self.duplicates + len(self.refused)


class Upload:
    """One `add_many`. What it yields is to be done by a client."""

    def __init__(self, options: UploadOptions) -> None:
        self.added = AddedMany()
        self._total = options.get("total")
        self._progress = options.get("progress") or None
        self._batches = Batches(options.get("batch_size", BATCH_SIZE), options.get("batch_bytes", BATCH_BYTES))
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if self._progress is True:
            self._progress = self._open.enter_context(progress_bar())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def take(self, fact: NewFact) -> bool:
        """Take a fact; True if there is a full batch to send now."""
        return self._batches.take(fact)

    def full_batch(self) -> Steps[None]:
        yield from self._store(self._batches.full())

    def rest(self) -> Steps[None]:
        yield from self._store(self._batches.rest())

    def _store(self, items: list[Item]) -> Steps[None]:
        for item in items:
            if item.error is not None:
                self._refuse(item, [item.error])
        try:
            yield from self._send([item for item in items if item.error is None])
        except ClientError as error:
            raise AddManyStopped(self.added, error) from error
        self._tell(None)

    def _send(self, items: list[Item]) -> Steps[None]:
        if not items:
            return
        body = b'{"skip_invalid":true,"triples":[' + b",".join(item.json for item in items) + b"]}"
        try:
            stored: StoredBatch = yield batch(body, self._tell if self._progress else None)
        except Refused as refused:
            if not _is_too_large(refused):
                raise
            if len(items) == 1:
                fault: FieldError = {"loc": [], "msg": refused.problem["detail"], "type": "too_large"}
                self._refuse(items[0], [fault])
                return
            half = len(items) // 2
            self._batches.shrink(half)
            yield from self._send(items[:half])
            yield from self._send(items[half:])
            return
        self.added.accepted += stored["accepted"]
        self.added.duplicates += stored["duplicates"]
        for invalid in stored.get("error_details") or ():
            self._refuse(items[invalid["index"]], invalid["errors"])

    def _refuse(self, item: Item, errors: list[FieldError]) -> None:
        self.added.refused.append(RefusedFact(item.index, item.fact, errors))

    def _tell(self, wait: Wait | None) -> None:
        if callable(self._progress):
            self._progress(Progress(self.added.done, self._total, wait))


def batch(body: bytes, on_wait: OnWait | None = None) -> Call[StoredBatch]:
    """One batch, as JSON."""
    return Call(method="POST", route="/triples/batch", body=body, on_wait=on_wait)


def _is_too_large(refused: Refused) -> bool:
    """True where fewer facts at once would be taken."""
    return refused.status == 413 or any(
        error["loc"][-1:] == ["triples"] and error["type"] == "too_long" for error in refused.errors
    )
