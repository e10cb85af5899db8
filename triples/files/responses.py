"""Imports as JSON: the type of the responses, with examples, and the function that fills it."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import Moment, UUIDText, one_of, rfc3339
from triples import ids
from triples.fields import to_milliseconds
from triples.import_runs import ImportRun, ImportStatus


class ImportOut(TypedDict):
    import_id: UUIDText
    number: Annotated[int, Field(description="What `manage.py imports` knows it by.")]
    status: Annotated[
        str,
        one_of(ImportStatus.values),
        Field(
            description=(
                "`broken`: it ended before its end, and `error` says why. An import whose process was killed with its"
                " service is `running` for a minute at most after it last stored something, and then `broken`."
            )
        ),
    ]
    status_url: str
    source: Annotated[str, Field(description="The files, or what else was read.")]
    format: str
    requested_by: str
    options: dict[str, Any]
    read: int
    inserted: int
    updated: int
    duplicates: int
    refused: int
    first_refused: Annotated[list[str], Field(description="The first refused lines, with their reasons.")]
    undone: Annotated[int, Field(description="Facts that an undo has deleted.")]
    error: str | None
    resume: Annotated[
        str | None,
        Field(
            description=(
                "`POST /import` with this token and the same body continues the import; null if it cannot, or if the"
                " same body would end in the same way."
            )
        ),
    ]
    created_at: Moment
    touched_at: Moment
    finished_at: Moment | None


class ImportsOut(TypedDict):
    imports: list[ImportOut]
    next_cursor: str | None


FINISHED: ImportOut = {
    "import_id": "018d0c8e-9a40-8003-8000-000000000001",
    "number": 1,
    "status": "finished",
    "status_url": "/import/018d0c8e-9a40-8003-8000-000000000001",
    "source": "people.tsv",
    "format": "tsv",
    "requested_by": "key 3kT9cVx1",
    "options": {"on_duplicate": "keep"},
    "read": 1000,
    "inserted": 990,
    "updated": 0,
    "duplicates": 9,
    "refused": 1,
    "first_refused": ["people.tsv:17: has 2 columns"],
    "undone": 0,
    "error": None,
    "resume": None,
    "created_at": "2024-01-15T10:30:00.000Z",
    "touched_at": "2024-01-15T10:30:02.000Z",
    "finished_at": "2024-01-15T10:30:02.000Z",
}
BROKEN: ImportOut = {
    **FINISHED,
    "status": "broken",
    "error": "The connection broke before the end of the body.",
    "resume": "018d0c8e-9a40-8003-8000-000000000001",
}


def public_id(run: ImportRun) -> str:
    return ids.pack(to_milliseconds(run.created_at), run.id, ids.IMPORT)


def import_content(run: ImportRun) -> ImportOut:
    import_id = public_id(run)
    return {
        "import_id": import_id,
        "number": run.id,
        "status": run.status,
        "status_url": f"/import/{import_id}",
        "source": run.source,
        "format": run.format,
        "requested_by": run.requested_by,
        "options": run.options,
        "read": run.read,
        "inserted": run.inserted,
        "updated": run.updated,
        "duplicates": run.duplicates,
        "refused": run.refused,
        "first_refused": run.first_refused,
        "undone": run.undone,
        "error": run.error or None,
        "resume": import_id if _can_continue(run) else None,
        "created_at": rfc3339(run.created_at),
        "touched_at": rfc3339(run.touched_at),
        "finished_at": None if run.finished_at is None else rfc3339(run.finished_at),
    }


def _can_continue(run: ImportRun) -> bool:
    """True if its body came over HTTP, and did not come to its end."""
    return bool(run.beginning) and run.status in {ImportStatus.RUNNING, ImportStatus.BROKEN}
