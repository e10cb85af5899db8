"""The client for asyncio."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import AsyncExitStack
from os import PathLike
from pathlib import Path
from typing import Any, Self, TypeVar, Unpack

import httpx2
from tenacity import AsyncRetrying

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


class AsyncClient(Attempting, Operations):
    """A client of the service at `url`, for one event loop."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        key: str | None = None,
        *,
        options: Options | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(options)
        self._http = httpx2.AsyncClient(transport=transport, **arguments(url, key, self._options))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def add_many(
        self, facts: Iterable[NewFact] | AsyncIterable[NewFact], **options: Unpack[UploadOptions]
    ) -> AddedMany:
        """Add facts, however many, in batches. Those that are refused are in `refused` of what it returns.

        Facts that are there already stay as they are, so all may be added again after an error.
        """
        with Upload(options) as upload:
            async for fact in _each(facts):
                if upload.take(fact):
                    await self.do(upload.full_batch())
            await self.do(upload.rest())
        return upload.added

    async def import_file(self, path: str | PathLike[str], **options: Unpack[ImportOptions]) -> Import:
        """Import a file of any size, and go on by itself after a broken connection. Its answer is what came of it.

        Raises Refused if the file cannot be read to its end; `import` of its problem says what is stored then.
        """
        source = Path(path)
        attempts = self._attempts(import_call(source, options))
        sending = Sending(source, self._options.patience)

        async def attempt() -> Import:
            content = sending.async_pieces()
            return await self._attempt(attempts, content=content, headers=sending.headers, timeout=SILENT_SECONDS)

        return await AsyncRetrying(**attempts.retries() | {"stop": sending.is_hopeless})(attempt)

    async def export(self, format: FormatName = "ndjson", **options: Unpack[ExportOptions]) -> AsyncIterator[bytes]:  # noqa: A002  # as the API calls it
        """The facts that match as a file, piece by piece. Raises NoAnswer if it breaks off before its end."""
        attempts = self._attempts(export_call(format, options))
        async with AsyncExitStack() as stack:
            response: httpx2.Response = await AsyncRetrying(**attempts.retries())(self._begun, attempts, stack)
            try:
                async for piece in response.aiter_bytes(PIECE_BYTES):
                    yield piece
            except httpx2.HTTPError as error:
                raise attempts.failure(error) from error

    async def _begun(self, attempts: Attempts[bytes], stack: AsyncExitStack) -> httpx2.Response:
        """The good answer to a request for an export, of which nothing has been read."""
        if seconds := attempts.pause():
            await asyncio.sleep(seconds)
        try:
            request = attempts.request() | {"headers": EXPORT_HEADERS}
            response = await stack.enter_async_context(self._http.stream(**request, timeout=SILENT_SECONDS))
            if response.status_code != GOOD:
                await response.aread()
        except httpx2.HTTPError as error:
            raise attempts.failure(error) from error
        if response.status_code != GOOD:
            attempts.answer(response)
        attempts.note(response)
        return response

    async def export_file(
        self,
        path: str | PathLike[str],
        format: FormatName,  # noqa: A002  # as above
        **options: Unpack[ExportOptions],
    ) -> None:
        """Write the facts that match to a file, which appears once it is complete."""
        with new_file(Path(path)) as file:
            async for piece in self.export(format, **options):
                file.write(piece)

    async def send(self, call: Call[T]) -> T:
        """Make one request, again where that is safe and may help."""
        attempts = self._attempts(call)
        return await AsyncRetrying(**attempts.retries())(self._attempt, attempts)

    async def _attempt(self, attempts: Attempts[T], **instead: Any) -> T:
        """One request; `instead` are arguments of httpx2's that replace those of the attempt."""
        if seconds := attempts.pause():
            await asyncio.sleep(seconds)
        try:
            response = await self._http.request(**attempts.request() | instead)
        except httpx2.HTTPError as error:
            raise attempts.failure(error) from error
        return attempts.answer(response)

    async def do(self, steps: Steps[T]) -> T:
        """Do one step after the other."""
        try:
            step = next(steps)
            while True:
                try:
                    answer = await self._step(step)
                except ClientError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def each(self, pages: Pages[T]) -> AsyncIterator[T]:
        """Each member of a list, page by page."""
        call: Call[Any] | None = pages.first
        while call is not None:
            page = await self.send(call)
            for member in page[pages.name]:
                yield member
            call = pages.after(page)

    async def _step(self, step: Call[Any] | Pause) -> Any:
        if isinstance(step, Pause):
            return await asyncio.sleep(step.seconds)
        return await self.send(step)


async def _each(facts: Iterable[NewFact] | AsyncIterable[NewFact]) -> AsyncIterator[NewFact]:
    if isinstance(facts, AsyncIterable):
        async for fact in facts:
            yield fact
    else:
        for fact in facts:
            yield fact
