"""Column types that the two databases keep compactly and exactly."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class UnixMilliseconds(models.BigIntegerField):  # type: ignore[type-arg]  # Django's fields are generic in their stubs only
    """A moment in UTC, kept as whole milliseconds since 1970.

    Six bytes in SQLite, where Django's own field keeps 26 characters of text that every read parses.
    """

    def from_db_value(self, value: int | None, *_: Any) -> datetime | None:
        return None if value is None else from_milliseconds(value)

    def to_python(self, value: Any) -> datetime | None:
        return from_milliseconds(value) if isinstance(value, int) else value

    def get_prep_value(self, value: Any) -> int | None:
        return to_milliseconds(value) if isinstance(value, datetime) else value


class ExactText(models.TextField):  # type: ignore[type-arg]  # as above
    """Text that is compared and sorted by its code points in both databases, whatever the locale."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        # SQLite compares by code points unless it is told otherwise.
        return super().db_parameters(connection) | {"collation": "C" if connection.vendor == "postgresql" else None}


class JSONText(models.JSONField):
    """JSON kept as the text that was sent: key order, and `1.0` apart from `1`, survive.

    PostgreSQL's `jsonb`, which Django would take, keeps neither.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        # psycopg has parsed `json` already; Django keeps it from doing so for `jsonb` alone.
        if connection.vendor == "postgresql":
            return value
        return super().from_db_value(value, expression, connection)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if connection.vendor == "postgresql" and value is not None:
            return json.dumps(value)
        return super().get_db_prep_value(value, connection, prepared)


def to_milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970; one before that, as a wrong clock tells it, is taken for 1970."""
    return max((moment - EPOCH) // MILLISECOND, 0)


def from_milliseconds(milliseconds: int) -> datetime:
    return EPOCH + milliseconds * MILLISECOND
