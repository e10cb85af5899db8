"""Files that users of the admin upload and download."""

from collections.abc import AsyncGenerator, Iterable
from time import monotonic
from typing import Any

from django.conf import settings

from triples.detached_commands import start_detached
from triples.exchange.spool import spool_file
from triples.files.export_view import PIECE_BYTES, failure, first_piece
from triples.files.processes import EXPORTS, command
from triples.files.receiving import Asked
from triples.import_runs import ImportRun
from triples.services.imports import import_begin


def import_upload(name: str, chunks: Iterable[bytes], options: dict[str, Any], requested_by: str) -> ImportRun:
    """Keep the file until a process of its own has imported it. Returns the row of the import."""
    with spool_file(delete=False) as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        run = import_begin(
            source=name, format_name=options.get("format", ""), requested_by=requested_by, options=options
        )
        asked = Asked(name, options, requested_by, run.id, file=file.name)
        start_detached(
            ["imports", "receive", asked.document],
            memory=settings.ENV.import_memory,
            keeps=[file.fileno()],
            died=["imports", "died", str(run.id)],
        )
    return run


async def exported(arguments: list[str]) -> AsyncGenerator[bytes]:
    """Nothing once there is something to send, then the content of an export.

    Raises Problem before that. What fails later breaks the stream off.
    """
    end = monotonic() + settings.ENV.export_timeout
    async with command(arguments, EXPORTS, reads=False) as process:
        assert process.stdout is not None
        piece, is_whole = await first_piece(process.stdout)
        if is_whole and (fault := await failure(process)) is not None:
            raise fault
        yield b""
        while piece:
            yield piece
            if monotonic() > end:
                raise TimeoutError("the export took longer than SKG_EXPORT_TIMEOUT")
            piece = await process.stdout.read(PIECE_BYTES)
        if not is_whole and (fault := await failure(process)) is not None:
            raise OSError(f"the export failed: {fault.detail}")
