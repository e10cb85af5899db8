"""Rows of the old database as the fields of facts, or why they are none."""

from collections.abc import Iterable, Iterator
from typing import Any

from triples.exchange.fields import Fields, metadata_of, weight_of
from triples.exchange.flask_database import Row, Value
from triples.exchange.lines import Refused, decoded
from triples.exchange.records import Record

# The old service wrote what it was sent; of metadata these mean that there is none.
NO_METADATA = {"", "null", "{}"}


def records(rows: Iterable[Row], *, mark: bool) -> Iterator[Record]:
    """`mark` notes in each fact's metadata that it was migrated, and when the old service had stored it."""
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
    """NULL is no weight, and gets the default; 0 is one. SQLite keeps whatever a column was given, text too."""
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
