"""Files that users of the admin upload and download."""

import os
import tempfile
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
from django.conf import settings

from triples.detached import start_detached
from triples.files.export_view import PIECE_BYTES
from triples.files.parameters import import_arguments
from triples.files.processes import EXPORTS, command
from triples.import_runs import ImportRun
from triples.services.imports import import_begin


def import_upload(name: str, chunks: Iterable[bytes], options: dict[str, Any], requested_by: str) -> ImportRun:
    """Keep the file until a process of its own has imported it. Returns the row of the import."""
    folder: Path = settings.ENV.state_dir / "spool"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # By this name, `receiving.spool_folder` removes it if its process is gone and nobody else has done so.
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{os.getpid()}.", delete=False) as file:
        for chunk in chunks:
            file.write(chunk)
    run = import_begin(source=name, format_name=options.get("format", ""), requested_by=requested_by, options=options)
    document = {
        "name": name,
        "options": options,
        "arguments": import_arguments(options),
        "requested_by": requested_by,
        "run": run.id,
        "token": None,
        "file": file.name,
    }
    start_detached(["imports", "receive", orjson.dumps(document).decode()])
    return run


async def exported(arguments: list[str]) -> AsyncGenerator[bytes]:
    """The content of an export. What fails breaks the stream off."""
    end = monotonic() + settings.ENV.export_timeout
    async with command(arguments, EXPORTS, reads=False) as process:
        assert process.stdout is not None
        while piece := await process.stdout.read(PIECE_BYTES):
            yield piece
            if monotonic() > end:
                raise TimeoutError("the export took longer than SKG_EXPORT_TIMEOUT")
        if await process.wait():
            raise OSError("the export failed")
