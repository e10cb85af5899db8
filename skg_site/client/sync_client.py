"""The client that waits for each answer."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any, Self, TypeVar, Unpack

import httpx2
from tenacity import Retrying

from .answers import Import
from .attempts import DEFAULT_URL, Attempting, Attempts, Options, arguments
from .calls import Call, Pages, Pause, Steps
from .errors import ClientError
from .files import (
    EXPORT_HEADERS,
    GOOD,
    PIECE_BYTES,
    SILENT_SECONDS,
    ExportOptions,
    FormatName,
    ImportOptions,
    Sending,
    export_call,
    import_call,
    new_file,
)
from .operations import Operations
from .uploading import AddedMany, Upload, UploadOptions
from .values import NewFact

T = TypeVar("T")


class Client(Attempting, Operations):
    """A client of the service at `url`. It may be used by several threads."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        key: str | None = None,
        *,
        options: Options | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        super().__init__(options)
        self._http = httpx2.Client(transport=transport, **arguments(url, key, self._options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def add_many(self, facts: Iterable[NewFact], **options: Unpack[UploadOptions]) -> AddedMany:
        """Add facts, however many, in batches. Those that are refused are in `refused` of what it returns.

        Facts that are there already stay as they are, so all may be added again after an error.
        """
        with Upload(options) as upload:
            for fact in facts:
                if upload.take(fact):
                    self.do(upload.full_batch())
            self.do(upload.rest())
        return upload.added

    def import_file(self, path: str | PathLike[str], **options: Unpack[ImportOptions]) -> Import:
        """Import a file of any size, and go on by itself after a broken connection. Its answer is what came of it.

        Raises Refused if the file cannot be read to its end; `import` of its problem says what is stored then.
        """
        source = Path(path)
        attempts = self._attempts(import_call(source, options))
        sending = Sending(source, self._options.patience)

        def attempt() -> Import:
            content = sending.pieces()
            return self._attempt(attempts, content=content, headers=sending.headers, timeout=SILENT_SECONDS)

        return Retrying(**attempts.retries() | {"stop": sending.is_hopeless})(attempt)

    def export(self, format: FormatName = "ndjson", **options: Unpack[ExportOptions]) -> Iterator[bytes]:  # noqa: A002  # as the API calls it
        """The facts that match as a file, piece by piece. Raises NoAnswer if it breaks off before its end."""
        attempts = self._attempts(export_call(format, options))
        with ExitStack() as stack:
            response = Retrying(**attempts.retries())(self._begun, attempts, stack)
            try:
                yield from response.iter_bytes(PIECE_BYTES)
            except httpx2.HTTPError as error:
                raise attempts.failure(error) from error

    def _begun(self, attempts: Attempts[bytes], stack: ExitStack) -> httpx2.Response:
        """The good answer to a request for an export, of which nothing has been read."""
        if seconds := attempts.pause():
            time.sleep(seconds)
        try:
            request = attempts.request() | {"headers": EXPORT_HEADERS}
            response = stack.enter_context(self._http.stream(**request, timeout=SILENT_SECONDS))
            if response.status_code != GOOD:
                response.read()
        except httpx2.HTTPError as error:
            raise attempts.failure(error) from error
        if response.status_code != GOOD:
            attempts.answer(response)
        attempts.note(response)
        return response

    def export_file(self, path: str | PathLike[str], format: FormatName, **options: Unpack[ExportOptions]) -> None:  # noqa: A002  # as above
        """Write the facts that match to a file, which appears once it is complete."""
        with new_file(Path(path)) as file:
            for piece in self.export(format, **options):
                file.write(piece)

    def send(self, call: Call[T]) -> T:
        """Make one request, again where that is safe and may help."""
        attempts = self._attempts(call)
        answer: T = Retrying(**attempts.retries())(self._attempt, attempts)
        return answer

    def _attempt(self, attempts: Attempts[T], **instead: Any) -> T:
        """One request; `instead` are arguments of httpx2's that replace those of the attempt."""
        if seconds := attempts.pause():
            time.sleep(seconds)
        try:
            response = self._http.request(**attempts.request() | instead)
        except httpx2.HTTPError as error:
            raise attempts.failure(error) from error
        return attempts.answer(response)

    def do(self, steps: Steps[T]) -> T:
        """Do one step after the other."""
        try:
            step = next(steps)
            while True:
                try:
                    answer = self._step(step)
                except ClientError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    def each(self, pages: Pages[T]) -> Iterator[T]:
        """Each member of a list, page by page."""
        call: Call[Any] | None = pages.first
        while call is not None:
            page = self.send(call)
            yield from page[pages.name]
            call = pages.after(page)

    def _step(self, step: Call[Any] | Pause) -> Any:
        if isinstance(step, Pause):
            return time.sleep(step.seconds)
        return self.send(step)
