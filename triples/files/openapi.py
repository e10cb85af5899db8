"""The documentation of /import and /export."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from skg_site.api.openapi import problems, response_example
from triples.exchange.formats.media_types import MEDIA_TYPES
from triples.files.parameters import ExportParameters, ImportListParameters, ImportParameters
from triples.files.responses import BROKEN, FINISHED, ImportOut, ImportsOut
from triples.http.snapshot_headers import gives_snapshot

_FILE = "application/octet-stream"

import_file = extend_schema(
    summary="Import a file",
    description=(
        "The body is the file, of any size: plain, gzip, xz, zstd or zip, as its first bytes tell. It is read as it"
        " arrives and stored in chunks. A connection that breaks leaves what was stored; `GET /import/{id}` or"
        " `GET /imports` has the `resume` token to go on with. A file of which something cannot be read is a 422 whose"
        " `import` says what was stored. One request counts as one, however long it takes. Only the key that began an"
        " import, or one that it was rotated to, continues it, and only as it was begun: 409 names what differs."
    ),
    parameters=[ImportParameters, gives_snapshot(200)],  # type: ignore[list-item]  # its Pydantic extension takes models here too
    # Any of the formats; their own media types would be as many descriptions of the same.
    request={_FILE: OpenApiTypes.BINARY},
    responses={200: OpenApiResponse(ImportOut, "The file was read to its end."), **problems(404, 409)},
    examples=[
        OpenApiExample(
            "Two facts, with format=tsv",
            "Einstein\tdiscovered\tRelativity\t0.95\nBerlin\tcapital_of\tGermany\n",
            request_only=True,
            media_type=_FILE,
        ),
        response_example("An import", FINISHED, 200),
    ],
)

show_import = extend_schema(
    summary="Show an import",
    parameters=[gives_snapshot(200)],
    responses={200: OpenApiResponse(ImportOut, "What it did so far.")},
    examples=[response_example("One that broke off", BROKEN, 200)],
)

list_imports = extend_schema(
    summary="List imports",
    description="The newest first, those of commands and of the admin, too.",
    parameters=[ImportListParameters],  # type: ignore[list-item]  # as above
    responses={200: OpenApiResponse(ImportsOut, "A page.")},
    examples=[response_example("The only page", {"imports": [FINISHED], "next_cursor": None}, 200)],
)

undo_import = extend_schema(
    summary="Undo an import",
    description=(
        "Deletes the facts that the import brought and that are still there, in a process of its own. `undone` of the"
        " import tells how many are gone by now. They go although others have stated or changed them since. Facts that"
        " the import only gave another weight stay as they are. Asked again after 15 seconds, it continues an undo that"
        " was interrupted. For the key that began the import, those that it was rotated to, and keys with the scope"
        " `admin`."
    ),
    parameters=[gives_snapshot(200, 202)],
    request=None,
    responses={
        200: OpenApiResponse(ImportOut, "It has been undone."),
        202: OpenApiResponse(ImportOut, "It is being undone."),
    },
    examples=[response_example("It begins", {**FINISHED, "status": "undoing"}, 202)],
)

export_facts = extend_schema(
    summary="Export facts as a file",
    description=(
        "All facts that match, as they stand at the moment of the request, in any of the formats that an import reads."
        " The answer is a stream: if something fails on the way, or it takes longer than `SKG_EXPORT_TIMEOUT`, it"
        " breaks off without its last chunk, and HTTP clients report that. The client must take 64 KiB every 15"
        " seconds at least."
    ),
    parameters=[ExportParameters],  # type: ignore[list-item]  # as above
    responses={
        (200, media_type): OpenApiResponse(OpenApiTypes.BINARY, "The file.") for media_type in MEDIA_TYPES.values()
    },
    examples=[
        OpenApiExample(
            "A fact",
            '{"subject":"Einstein","predicate":"discovered","object":"Relativity","weight":0.95}\n',
            response_only=True,
            status_codes=["200"],
            media_type=MEDIA_TYPES["ndjson"],
        )
    ],
)
