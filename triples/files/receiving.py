"""The body of a request on its way to the process that imports it."""

from asyncio import StreamWriter
from asyncio.subprocess import Process
from typing import Any, NamedTuple

import orjson
import structlog

from skg_site.api.problems import BodyTimeout, Unavailable
from skg_site.api.request import APIRequest
from skg_site.api.threads import in_thread
from skg_site.cli.exit_codes import UNAVAILABLE
from triples.exchange.framed import END, framed
from triples.files.parameters import import_arguments
from triples.files.processes import IMPORTS, command
from triples.files.responses import import_content
from triples.import_runs import ImportRun, ImportStatus
from triples.metrics import added_by
from triples.models import Source
from triples.services.imports import import_close

log = structlog.get_logger("skg.exchange")

KILLED = "The process of the import ended before its time."
CRASHED = "The process of the import failed; the log has the reason."


class Asked(NamedTuple):
    """An import that is asked for, of the body of a request or of a file; `run_id` is that of a row which it has."""

    name: str
    options: dict[str, Any]
    requested_by: str
    run_id: int | None
    token: str | None = None
    file: str | None = None

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
            raise unbegun(complaint[-2000:].decode(errors="replace"))
        timeout: BodyTimeout | None = None
        try:
            await _pass_on(request, process.stdin)
        except BodyTimeout as error:
            timeout = error
        run = await _ended(process, begun["import"], begun["attempt"])
    added_by(Source.IMPORT).inc(max(0, run.inserted - begun["inserted"]))
    if timeout is not None:
        timeout.extra["import"] = import_content(run)
        raise timeout
    if run.status == ImportStatus.BROKEN and process.returncode:
        raise Unfinished(run, is_crash=_is_crash(process))
    return run


def unbegun(complaint: str) -> Exception:
    """The reason why there is no row. A fault that is told in a sentence is of the database or system, and passes."""
    if "Traceback" in complaint or "CommandError: " not in complaint:
        return RuntimeError(f"the import did not begin: {complaint}")
    log.warning("import_not_begun", error=complaint)
    return Unavailable("The import could not begin, since the database cannot be reached or is busy; try again.")


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


async def _ended(process: Process, run_id: int, attempt: int) -> ImportRun:
    _, complaint = await process.communicate()
    run = await in_thread(ImportRun.objects.get, id=run_id)
    if run.attempt != attempt and run.status in {ImportStatus.RUNNING, ImportStatus.BROKEN}:
        # What the row says, and its end, are those of the process that has it now.
        raise TakenOver(run)
    if process.returncode and run.status in {ImportStatus.RUNNING, ImportStatus.BROKEN}:
        log.error("import_died", run=run.id, code=process.returncode, error=complaint[-2000:].decode(errors="replace"))
    if run.status == ImportStatus.RUNNING:
        await in_thread(import_close, run=run, error=CRASHED if _is_crash(process) else KILLED)
        run = await in_thread(ImportRun.objects.get, id=run_id)
    return run


def _is_crash(process: Process) -> bool:
    """Whether it ended by a fault of its own, and not by a signal or because something could not be stored."""
    code = process.returncode or 0
    return code > 0 and code != UNAVAILABLE
