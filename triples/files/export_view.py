"""The facts of one moment as a file over HTTP."""

from asyncio import IncompleteReadError, StreamReader
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from time import monotonic
from typing import ClassVar

from django.conf import settings
from django.http import HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from skg_site.api.headers import accepts
from skg_site.api.problems import Problem
from skg_site.api.reading import query_parameters
from skg_site.api.request import http_of
from skg_site.api.streams import BrokenStream, StreamedAnswer, require_chunks
from skg_site.api.views import LOOK_AGAIN_SECONDS, APIViewSet, check_accept
from triples.exchange.formats.media_types import ARCHIVES, COMPRESSED, MEDIA_TYPES
from triples.files import openapi
from triples.files.faults import fault_of
from triples.files.parameters import ExportParameters
from triples.files.processes import EXPORTS, command

PIECE_BYTES = 1 << 16


class ExportViewSet(APIViewSet):
    scopes: ClassVar[dict[str, str]] = {"export": "read"}
    media_type = ""

    @openapi.export_facts
    async def export(self, request: Request) -> HttpResponse | StreamedAnswer:
        http = http_of(request)
        parameters = query_parameters(request, ExportParameters)
        content_type = MEDIA_TYPES[parameters.format]
        compress: str = parameters.compress or "none"
        headers = {"Content-Disposition": parameters.disposition(compress)}
        if compress == "none":
            check_accept(http, content_type)
        else:
            content_type = COMPRESSED[compress].media_type
        if parameters.compress is None and parameters.format not in ARCHIVES:
            headers["Vary"] = "Accept-Encoding"
            if (coding := _coding(http.list_header(b"accept-encoding"))) is not None:
                compress = headers["Content-Encoding"] = coding
        if http.method == "HEAD":
            return StreamedAnswer(_nothing(), content_type, headers)
        require_chunks(http)
        pieces = self._pieces(request, parameters.command(compress))
        # Up to here a failure is a problem; from here on it is a stream that breaks.
        assert await anext(pieces) == b""
        http.begin_stream()
        return StreamedAnswer(pieces, content_type, headers)

    async def _pieces(self, request: Request, arguments: list[str]) -> AsyncGenerator[bytes]:
        """Nothing once there is something to send, then the content."""
        end = monotonic() + settings.ENV.export_timeout
        async with command(arguments, EXPORTS, reads=False) as process:
            output = process.stdout
            assert output is not None
            piece, is_whole = await self.while_allowed(first_piece(output))
            if is_whole and (fault := await failure(process)) is not None:
                raise fault
            yield b""
            looked_at = monotonic()
            while piece:
                yield piece
                if monotonic() - looked_at > LOOK_AGAIN_SECONDS:
                    await self._look(request, end)
                    looked_at = monotonic()
                piece = await output.read(PIECE_BYTES)
            if not is_whole and (fault := await failure(process)) is not None:
                raise BrokenStream(str(fault))

    async def _look(self, request: Request, end: float) -> None:
        """End the stream if it has lasted too long, or its key has been revoked."""
        if monotonic() > end:
            raise BrokenStream(f"it took longer than {settings.ENV.export_timeout:g} seconds (SKG_EXPORT_TIMEOUT)")
        try:
            await self.check_again(request)
        except APIException as error:
            raise BrokenStream(str(error.detail)) from error


async def first_piece(output: StreamReader) -> tuple[bytes, bool]:
    """The first piece, and whether it is all there is."""
    try:
        return await output.readexactly(PIECE_BYTES), False
    except IncompleteReadError as all_of_it:
        return bytes(all_of_it.partial), True


async def _nothing() -> AsyncGenerator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


def _coding(accepted: bytes | None) -> str | None:
    """The coding that a client accepts by name."""
    if accepted is None:
        return None
    # As media types: the grammar of a list with weights is the same.
    return next((name for name in ("zstd", "gzip") if name.encode() in accepted and accepts(accepted, name)), None)


async def failure(process: Process) -> Problem | None:
    """The reason why the command failed, if it did."""
    errors: StreamReader | None = process.stderr
    assert errors is not None
    complaint = await errors.read()
    code = await process.wait()
    return None if code == 0 else fault_of("export", code, complaint)
