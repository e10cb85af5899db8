"""The body of a request on its way to the process that imports it."""

from asyncio import StreamWriter
from asyncio.subprocess import Process
from typing import Any, NamedTuple

import orjson
import structlog

from skg_site.api.problems import BodyTimeout
from skg_site.api.request import APIRequest
from skg_site.api.threads import in_thread
from triples.exchange.framed_body import END, framed
from triples.files.faults import End, death_of, end_of, fault_of
from triples.files.parameters import import_arguments
from triples.files.processes import IMPORTS, command
from triples.files.responses import import_content
from triples.import_runs import ImportRun, ImportStatus
from triples.metrics import added_by
from triples.models import Source
from triples.services.imports import import_close
from triples.visible import visible

log = structlog.get_logger("skg.exchange")


class Asked(NamedTuple):
    """An import that is asked for, of the body of a request or of a file; `run_id` is that of a row which it has."""

    name: str
    options: dict[str, Any]
    requested_by: str
    run_id: int | None
    token: str | None = None
    file: str | None = None

    def differing(self, run: ImportRun) -> list[str]:
        """The parameters that are not those with which an import was begun."""
        names = sorted({*self.options, *run.options})
        found = [name for name in names if self.options.get(name) != run.options.get(name)]
        return found if visible(self.name) == run.source else [*found, "name"]

    @property
    def document(self) -> str:
        """The argument of `manage.py imports receive`."""
        content = {
            "name": self.name,
            "options": self.options,
            "arguments": import_arguments(self.options),
            "requested_by": self.requested_by,
            "run": self.run_id,
            "token": self.token,
            "file": self.file,
        }
        return orjson.dumps(content).decode()


class Refused(ValueError):
    """The options make no sense; the message says why."""


class TakenOver(Exception):
    """Another request continued the import meanwhile, so this one stored no more of it."""

    def __init__(self, run: ImportRun) -> None:
        super().__init__()
        self.run = run


class Unfinished(Exception):
    """The import ended before its time, and not for a reason in the body."""

    def __init__(self, run: ImportRun, *, is_crash: bool) -> None:
        super().__init__()
        self.run = run
        self.is_crash = is_crash


async def receive(request: APIRequest, asked: Asked) -> ImportRun:
    """Import the body. Returns the row of the import at its end.

    Raises Refused, TakenOver, Unfinished, ClientGone and, with the row, BodyTimeout. Whatever happens, what was sent
    until then is stored.
    """
    async with command(["imports", "receive", asked.document], IMPORTS, reads=True) as process:
        # Until the process has begun, nothing of the body is taken, for which the client is not to blame.
        request.begin_stream()
        assert process.stdin is not None
        assert process.stdout is not None
        begun = orjson.loads(await process.stdout.readline() or b"{}")
        if "import" not in begun:
            _, complaint = await process.communicate()
            if "refused" in begun:
                raise Refused(begun["refused"])
            raise fault_of("import", process.returncode, complaint)
        timeout: BodyTimeout | None = None
        try:
            await _pass_on(request, process.stdin)
        except BodyTimeout as error:
            timeout = error
        run, end = await _ended(process, begun["import"], begun["attempt"])
    added_by(Source.IMPORT).inc(max(0, run.inserted - begun["inserted"]))
    if timeout is not None:
        timeout.extra["import"] = import_content(run)
        raise timeout
    if run.status == ImportStatus.BROKEN and end.is_of_service:
        raise Unfinished(run, is_crash=end == End.CRASH)
    return run


async def _pass_on(request: APIRequest, pipe: StreamWriter) -> None:
    """Pass the body on as fast as the process takes it, to its end or that of the process."""
    try:
        while (piece := await request.next_piece()) is not None:
            if pipe.is_closing():
                # uvloop closes it when the process ends, and then a write is an error of another kind.
                return
            if piece:
                pipe.write(framed(piece))
                await pipe.drain()
        pipe.write(END)
        await pipe.drain()
    except (BrokenPipeError, ConnectionResetError):
        # The process has seen enough; its row says why.
        pass
    finally:
        # Without the last frame, this ends an import whose body does not.
        pipe.close()


async def _ended(process: Process, run_id: int, attempt: int) -> tuple[ImportRun, End]:
    _, complaint = await process.communicate()
    code = process.returncode or 0
    run = await in_thread(ImportRun.objects.get, id=run_id)
    if run.attempt != attempt and run.status in {ImportStatus.RUNNING, ImportStatus.BROKEN}:
        # What the row says, and its end, are those of the process that has it now.
        raise TakenOver(run)
    if code and run.status in {ImportStatus.RUNNING, ImportStatus.BROKEN}:
        log.error("import_died", run=run.id, code=code, error=complaint[-2000:].decode(errors="replace"))
    end = end_of(code, complaint)
    if run.status == ImportStatus.RUNNING:
        await in_thread(import_close, run=run, error=death_of(code, complaint), is_final=end == End.MEMORY)
        run = await in_thread(ImportRun.objects.get, id=run_id)
    return run, end
