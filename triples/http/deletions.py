"""Facts deleted by pattern over HTTP."""

from time import perf_counter
from typing import Annotated, ClassVar, NotRequired

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from rest_framework.request import Request
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.cursors import CursorLayout
from skg_site.api.fields import MomentIn, Weight
from skg_site.api.inputs import Input
from skg_site.api.openapi import request_example, response_example
from skg_site.api.problems import Invalid
from skg_site.api.reading import json_body
from skg_site.api.views import json_answer
from triples.http.asked_terms import ConstantPattern
from triples.http.snapshot_headers import gives_snapshot
from triples.http.views import GraphViewSet
from triples.query.deleting import Deletion, Place, Preview, added_between
from triples.services.deletions import Deleted, deletion_perform, deletion_preview

# Of the last fact that was looked at: its weight and its key.
CURSOR = CursorLayout("dq")


_EVERYTHING: JsonDict = {
    "properties": {
        "pattern": {"items": {"type": "null"}},
        "min_weight": {"const": 0},
        "max_weight": {"const": 1},
        "added_after": {"type": "null"},
        "added_before": {"type": "null"},
        "all": {"const": False},
    }
}


class DeleteTriples(Input):
    """The asserted facts to delete, and whether to delete them or only to count them."""

    model_config = ConfigDict(json_schema_extra={"not": _EVERYTHING})

    pattern: ConstantPattern
    min_weight: Weight = 0.0
    max_weight: Weight = 1.0
    added_after: Annotated[MomentIn | None, Field(description="Only facts that were added later than this.")] = None
    added_before: Annotated[MomentIn | None, Field(description="Only facts that were added earlier than this.")] = None
    dry_run: Annotated[bool, Field(description="true: say what would go, and delete nothing.")] = True
    all: Annotated[
        bool, Field(description="A pattern of three nulls without any bound is refused, unless this is true.")
    ] = False
    cursor: Annotated[str, CURSOR.field] | None = None

    @property
    def deletion(self) -> Deletion:
        times = added_between(self.added_after, self.added_before)
        deletion = Deletion(self.pattern, self.min_weight, self.max_weight, **times)
        if deletion.is_everything and not self.all:
            msg = 'This matches every fact; give a constant, a bound or "all": true'
            raise Invalid([{"loc": ["pattern"], "msg": msg, "type": "everything"}])
        return deletion

    @property
    def place(self) -> Place | None:
        return None if self.cursor is None else Place._make(CURSOR.decode(self.cursor))


class DeletionOut(TypedDict):
    dry_run: bool
    facts: Annotated[int, Field(description="Asserted facts that went or, in a dry run, would go.")]
    complete: Annotated[
        bool,
        Field(
            description="false: the time limit came first. After a dry run the numbers are at least so great; after a"
            " deletion the same request with `next_cursor` as `cursor` goes on."
        ),
    ]
    inferred: NotRequired[
        Annotated[
            int | None,
            Field(
                default=None,
                description="Only in a dry run: inferred facts that would lose their proof. null: too many, so none is"
                " counted; all inferred facts would be hidden until the next run, or are hidden already.",
            ),
        ]
    ]
    next_cursor: NotRequired[
        Annotated[str | None, Field(default=None, description="Only of a deletion: where it goes on; null at its end.")]
    ]
    processing_time_ms: int


PREVIEW: DeletionOut = {"dry_run": True, "facts": 17, "complete": True, "inferred": 4, "processing_time_ms": 3}
DELETED: DeletionOut = {"dry_run": False, "facts": 17, "complete": True, "next_cursor": None, "processing_time_ms": 9}

_delete_matching = extend_schema(
    summary="Delete the facts that match a pattern",
    description=(
        "Asserted facts only, heaviest first, a few hundred in each transaction, so that others can write in between."
        " A dry run, which is the default, says what would go. An error or a broken connection leaves deleted what"
        " was deleted until then. Inferred facts that rest on what goes are hidden at once, as after any deletion."
    ),
    parameters=[gives_snapshot(200)],
    request=DeleteTriples,
    responses={200: OpenApiResponse(DeletionOut, "What went, or would go.")},
    examples=[
        request_example("What would go", {"pattern": [None, "discovered", None], "max_weight": 0.2, "dry_run": True}),
        request_example(
            "Delete what was added in January",
            {
                "pattern": [None, None, None],
                "added_after": "2023-12-31T23:59:59.999Z",
                "added_before": "2024-02-01T00:00:00Z",
                "dry_run": False,
            },
        ),
        response_example("A dry run", PREVIEW, 200),
        response_example("A deletion", DELETED, 200),
    ],
)


class DeletionViewSet(GraphViewSet):
    scopes: ClassVar[dict[str, str]] = {"delete_matching": "write"}

    @_delete_matching
    async def delete_matching(self, request: Request) -> HttpResponse:
        start = perf_counter()
        body = await json_body(request, DeleteTriples)
        deletion = body.deletion
        if body.dry_run:
            content = _preview_content(await deletion_preview(deletion=deletion, after=body.place))
        else:
            content = _deleted_content(await deletion_perform(deletion=deletion, after=body.place))
        content["processing_time_ms"] = round((perf_counter() - start) * 1000)
        return json_answer(content)


def _preview_content(found: Preview) -> DeletionOut:
    return {
        "dry_run": True,
        "facts": found.facts,
        "complete": found.complete,
        "inferred": None if found.hides_all else found.inferred,
        "processing_time_ms": 0,
    }


def _deleted_content(done: Deleted) -> DeletionOut:
    return {
        "dry_run": False,
        "facts": done.facts,
        "complete": done.after is None,
        "next_cursor": None if done.after is None else CURSOR.encode(*done.after),
        "processing_time_ms": 0,
    }
