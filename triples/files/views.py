"""Files of facts that come over HTTP, and what became of them."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request

from apikeys.callers import actor_of, fellows_of, is_admin
from skg_site.api.problems import Conflict, FieldError, Invalid, Problem, Unavailable
from skg_site.api.reading import query_parameters
from skg_site.api.request import http_of
from skg_site.api.threads import in_thread
from skg_site.api.views import APIViewSet, json_answer
from triples import ids
from triples.exchange.formats.media_types import UNTOLD, format_named
from triples.files import openapi
from triples.files.parameters import CURSOR, ImportListParameters, ImportParameters
from triples.files.processes import option_fault
from triples.files.receiving import Asked, Refused, TakenOver, Unfinished, receive
from triples.files.responses import ImportsOut, import_content
from triples.http.freshness import cover_commits
from triples.import_runs import ImportRun, ImportStatus
from triples.rows_by_id import row_with_id
from triples.services.imports import import_undo_start, imports_close_dead

_AGAIN = "What was stored by then stays; `resume` of the import goes on with it."
_FOR_GOOD = "The same content would end so again: send what is mended without `resume`, and with another `token`."
_UNDONE = {ImportStatus.UNDOING, ImportStatus.UNDONE}
_ENCODINGS = frozenset({"identity", "gzip", "x-gzip", "zstd", "xz"})


class ImportFailed(Problem):
    """The content is not what the import takes it for; `import` says how far it came."""

    status_code = 422


class ImportViewSet(APIViewSet):
    scopes: ClassVar[dict[str, str]] = {"create": "write", "retrieve": "read", "list": "read", "undo": "write"}
    streamed_bodies = frozenset({"create"})

    @openapi.import_file
    async def create(self, request: Request) -> HttpResponse:
        parameters = query_parameters(request, ImportParameters)
        asked = await self._asked(request, parameters)
        if isinstance(asked, ImportRun):
            return json_answer(import_content(asked))
        try:
            run = await self.while_allowed(receive(http_of(request), asked))
        except Refused as refused:
            raise Invalid([option_fault(str(refused))]) from None
        except TakenOver as taken:
            raise _with_import(Conflict("Another request has continued this import."), taken.run) from None
        except Unfinished as ended:
            problem = Problem(ended.run.error) if ended.is_crash else Unavailable(f"{ended.run.error} {_AGAIN}")
            raise _with_import(problem, ended.run) from None
        # Another process has stored the facts.
        await cover_commits()
        if run.status == ImportStatus.FINISHED:
            return json_answer(import_content(run))
        if run.status in _UNDONE:
            raise _with_import(Conflict("The import was undone while it ran."), run)
        if run.status == ImportStatus.RUNNING:
            raise Unavailable("The process of the import ended before its time; `resume` continues it.")
        raise _failed(run, run.error)

    @openapi.show_import
    async def retrieve(self, _request: Request, id: UUID) -> HttpResponse:
        run = await in_thread(find_import, id)
        await cover_commits()
        return json_answer(import_content(run))

    @openapi.list_imports
    async def list(self, request: Request) -> HttpResponse:
        return json_answer(await in_thread(_page, query_parameters(request, ImportListParameters)))

    @openapi.undo_import
    async def undo(self, request: Request, id: UUID) -> HttpResponse:
        run = await in_thread(find_import, id)
        if not (is_admin(request) or await in_thread(_is_own, request, run)):
            raise PermissionDenied(
                "Another key began this import: only that one, or one with the scope admin, undoes it."
            )
        run = await in_thread(import_undo_start, run_id=run.id)
        await cover_commits()
        return json_answer(import_content(run), 200 if run.status == ImportStatus.UNDONE else 202)

    async def _asked(self, request: Request, parameters: ImportParameters) -> Asked | ImportRun:
        """The import to be made; or the row of the one to be continued, if it has come to its end."""
        http = http_of(request)
        encoding = (http.list_header(b"content-encoding") or b"identity").decode("latin-1").strip().lower()
        if encoding not in _ENCODINGS:
            problem = Problem(f"A body can be {', '.join(sorted(_ENCODINGS))}; its first bytes tell which it is.")
            problem.status_code = 415
            raise problem
        if parameters.resume is None:
            given = parameters.given | self._format(http.header(b"content-type") or b"", parameters)
            asked = Asked(parameters.name or "upload", given, actor_of(request), None, parameters.token)
            if parameters.token and (run := await in_thread(_find_own, request, parameters.token)):
                self._check_same(asked, run)
                return self._continued(run)
            return asked
        if parameters.given or parameters.name or parameters.token:
            msg = "Goes alone: the other parameters are those of the first request"
            raise Invalid([{"loc": ["resume"], "msg": msg, "type": "resume_alone"}])
        run = await in_thread(find_import, UUID(parameters.resume))
        if not await in_thread(_is_own, request, run):
            raise PermissionDenied("Another key began this import, and only that one continues it.")
        return self._continued(run)

    def _check_same(self, asked: Asked, run: ImportRun) -> None:
        """Refuse to continue an import as it was not begun: the first part would stay as it is."""
        if differing := asked.differing(run):
            msg = "Is not as in the first request with this token"
            errors: list[FieldError] = [{"loc": [name], "msg": msg, "type": "other_import"} for name in differing]
            detail = f"The import with this token was begun with another {', '.join(differing)}."
            raise _with_import(Conflict(detail, errors=errors), run)

    def _continued(self, run: ImportRun) -> Asked | ImportRun:
        if run.status == ImportStatus.FINISHED:
            return run
        if run.status in _UNDONE:
            raise _with_import(Conflict("This import cannot be continued: it was undone, or is being undone."), run)
        if not run.beginning and run.status == ImportStatus.BROKEN:
            raise _failed(run, f"{run.error} {_FOR_GOOD}")
        if not run.beginning:
            raise _with_import(Conflict("This import cannot be continued: its content did not come over HTTP."), run)
        return Asked(run.source, run.options, run.requested_by, run.id)

    def _format(self, content_type: bytes, parameters: ImportParameters) -> dict[str, Any]:
        """The format of Content-Type, if the parameters do not say it."""
        media_type = content_type.decode("latin-1")
        if parameters.format is not None or media_type.partition(";")[0].strip().lower() in UNTOLD:
            return {}
        found = format_named(media_type)
        return {} if found is None else {"format": found}


def _failed(run: ImportRun, detail: str) -> Problem:
    errors: list[FieldError] = [{"loc": ["body"], "msg": run.error, "type": "import"}]
    return _with_import(ImportFailed(detail, errors=errors), run)


def _with_import(problem: Problem, run: ImportRun) -> Problem:
    problem.extra["import"] = import_content(run)
    return problem


def find_import(public_id: UUID) -> ImportRun:
    run = row_with_id(ImportRun, public_id, ids.IMPORT)
    if run is None:
        raise NotFound("There is no import with this id.")
    imports_close_dead(runs=[run])
    return run


def _find_own(request: Request, token: str) -> ImportRun | None:
    """The import with this token that the caller began, or a key of its lineage."""
    own = fellows_of(request) or {actor_of(request)}
    return ImportRun.objects.filter(requested_by__in=own, token=token).first()


def _is_own(request: Request, run: ImportRun) -> bool:
    own = fellows_of(request)
    return own is None or run.requested_by in own


def _page(parameters: ImportListParameters) -> ImportsOut:
    runs = ImportRun.objects.all()
    if parameters.cursor is not None:
        [before] = CURSOR.decode(parameters.cursor)
        runs = runs.filter(id__lt=before)
    found = list(runs[: parameters.limit + 1])
    shown = found[: parameters.limit]
    imports_close_dead(runs=shown)
    more = len(found) > len(shown)
    return {
        "imports": [import_content(run) for run in shown],
        "next_cursor": CURSOR.encode(shown[-1].id) if more else None,
    }
