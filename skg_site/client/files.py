"""Files of facts on their way: in, continued after a broken connection, and out."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Literal, TypedDict

from tenacity import RetryCallState

from .answers import Import
from .calls import Call, Scalar, parameters

PIECE_BYTES = 1 << 18
# While the service stores a chunk, it reads nothing and says nothing.
SILENT_SECONDS = 600.0

GOOD = 200
EXPORT_HEADERS = {"Accept": "*/*"}

FormatName = Literal[
    "arrow", "csv", "graphml", "jsonld", "ndjson", "neo4j", "nquads", "ntriples", "parquet", "rdfxml", "trig", "tsv",
    "turtle",
]  # fmt: skip


class ImportOptions(TypedDict, total=False):
    """Options of `import_file`, as `POST /import` has them."""

    format: FormatName | None
    name: str
    on_duplicate: Literal["keep", "replace"]
    strict: bool
    weight: float
    scale_weights: str
    header: bool
    columns: str
    ignore: str
    delimiter: str
    wide: bool
    entity: str
    prefix: str
    weight_property: str
    metadata: bool
    graphs: Literal["metadata", "refuse"]
    base: str


class ExportOptions(TypedDict, total=False):
    """Options of `export`, as `GET /export` has them."""

    compress: Literal["none", "gzip", "xz", "zstd", "zip"]
    subject: str | None
    predicate: str | None
    object: str | None
    min_weight: float
    inferred: Literal["without", "with", "only"]
    ids: bool
    times: bool
    safe_csv: bool
    prefix: str
    weights: Literal["annotations", "reification", "graphs"]
    plain: bool
    weight_property: str


def import_call(path: Path, options: ImportOptions) -> Call[Import]:
    """The request for an import. Its token is new, so that it may be sent again, and goes on then."""
    members: dict[str, Scalar | None] = {"name": path.name, **options, "token": uuid.uuid4().hex}  # type: ignore[dict-item]  # each is one of these
    return Call(method="POST", route="/import", parameters=parameters(members))


def export_call(format: FormatName, options: ExportOptions) -> Call[bytes]:  # noqa: A002  # as the API calls it
    members: dict[str, Scalar | None] = {"format": format, **options}  # type: ignore[dict-item]  # each is one of these
    return Call(method="GET", route="/export", parameters=parameters(members))


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name at the end, if it gets there."""
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with new.open("wb") as file:
            yield file
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


class Sending:
    """The sending of a file, again and again, for as long as each attempt comes further than those before."""

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._farthest = 0
        self._came_further = monotonic()

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/octet-stream", "Content-Length": str(self._path.stat().st_size)}

    def pieces(self) -> Iterator[bytes]:
        sent = 0
        with self._path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
                sent += len(piece)
                if sent > self._farthest:
                    self._farthest, self._came_further = sent, monotonic()

    async def async_pieces(self) -> AsyncIterator[bytes]:
        for piece in self.pieces():
            yield piece

    def is_hopeless(self, state: RetryCallState) -> bool:
        """True if the next attempt would begin after all patience."""
        return monotonic() + state.upcoming_sleep - self._came_further > self._patience
