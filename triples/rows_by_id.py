"""Rows by the public ids that are made of their keys and times."""

from typing import Any, TypeVar
from uuid import UUID

from django.db import models

from triples import ids
from triples.fields import to_milliseconds

Row = TypeVar("Row", bound=models.Model)


def row_with_id(model: type[Row], public_id: UUID, kind: int) -> Row | None:
    """The row of a model with `created_at` that has this public id; None for an id of another kind or time."""
    found = ids.unpack(public_id)
    if found is None or found.kind != kind:
        return None
    row: Any = model._default_manager.filter(pk=found.key).first()
    return row if row is not None and to_milliseconds(row.created_at) == found.created_ms else None
