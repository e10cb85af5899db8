"""The source of an import from the old Flask service's database."""

from collections.abc import Generator, Iterable, Iterator
from functools import cached_property, partial
from hashlib import blake2b
from typing import Any

from triples.exchange.facts import FactMaker
from triples.exchange.fields import Fields, metadata_of, weight_of
from triples.exchange.flask_database import FlaskDatabase, Place, Row, Value
from triples.exchange.importing import Import, Piece
from triples.exchange.lines import Refused, decoded
from triples.exchange.records import Record
from triples.query.export import StreamedFact

# The word before a row's number in reports.
NAME = "row"
# Values that mean no metadata. The old service stored metadata as it was sent.
NO_METADATA = {"", "null", "{}"}


class FlaskSource:
    def __init__(self, database: FlaskDatabase, facts: FactMaker, *, mark: bool) -> None:
        """`mark` adds to each fact's metadata that it was migrated, and when the old service had stored it."""
        self._database = database
        self._facts = facts
        self._mark = mark

    def total(self, start: tuple[Any, ...]) -> int:
        return self._database.count(Place(*start))

    def has(self, place: tuple[Any, ...]) -> bool:
        return self._database.has(Place(*place))

    def pieces(self, start: tuple[Any, ...], job: Import) -> Generator[Piece]:
        refuse = partial(job.refuse, NAME)
        done = 0
        for page in self._database.pages(Place(*start)):
            rest = page
            while rest:
                rows, rest = rest[: job.room], rest[job.room :]
                done += len(rows)
                facts, origins = [], []
                for record in records(rows, mark=self._mark):
                    made = self._facts.facts([record], refuse)
                    facts += made
                    origins += [(NAME, record[0])] * len(made)
                yield Piece(facts, Place.after(rows[-1]), done, origins)


class UnknownFacts:
    """Selects the facts of an export that the old database does not have."""

    def __init__(self, database: FlaskDatabase, facts: FactMaker) -> None:
        self._database = database
        self._facts = facts

    def __call__(self, batch: Iterable[StreamedFact]) -> list[StreamedFact]:
        return [fact for fact in batch if _digest(*fact[:3]) not in self._known]

    @cached_property
    def _known(self) -> set[bytes]:
        """Digests of the old facts, with their terms as this graph would store them."""
        known: set[bytes] = set()
        for page in self._database.pages(Place()):
            known.update(_digest(*fact[:3]) for fact in self._facts.facts(records(page, mark=False), _leave_out))
        return known


def records(rows: Iterable[Row], *, mark: bool) -> Iterator[Record]:
    for row in rows:
        try:
            fields = _fields(row)
            yield row.rowid, fields._replace(metadata=_marked(fields, row)) if mark else fields
        except Refused as refused:
            yield row.rowid, refused


def _fields(row: Row) -> Fields:
    metadata = _text("metadata", row.metadata).strip() if row.metadata is not None else ""
    return Fields(
        _text("subject", row.subject),
        _text("predicate", row.predicate),
        _text("object", row.object),
        _weight(row.weight),
        None if metadata in NO_METADATA else metadata_of(metadata),
    )


def _weight(value: Value) -> float | None:
    """The weight in a column, where SQLite may have stored text, too. NULL gets the default; 0 is a weight."""
    if isinstance(value, int | float):
        return float(value)
    return None if value is None else weight_of(_text("weight", value))


def _text(name: str, value: Value) -> str:
    if value is None:
        raise Refused(f"{name} is NULL")
    if isinstance(value, bytes):
        try:
            return decoded(value)
        except Refused as refused:
            raise Refused(f"{name} {refused}") from None
    return repr(value)


def _marked(fields: Fields, row: Row) -> dict[str, Any]:
    metadata = dict(fields.metadata or {}) | {"migrated": True}
    if row.created_at is not None:
        metadata.setdefault("created_at", _text("created_at", row.created_at))
    return metadata


def _digest(*terms: str) -> bytes:
    return blake2b("\t".join(terms).encode(), digest_size=16).digest()


def _leave_out(_row: int, _reason: Refused) -> None:
    """Ignore a row that cannot be a fact here: no fact of the export can be the same."""
