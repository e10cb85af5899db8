"""Column types that the two databases keep compactly and exactly."""

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

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return 'text COLLATE "C"' if connection.vendor == "postgresql" else "text"


class JSONText(models.JSONField):
    """JSON kept as the text that was sent: key order, and `1.0` apart from `1`, survive.

    PostgreSQL's `jsonb`, which Django would take, keeps neither.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "json" if connection.vendor == "postgresql" else super().db_type(connection)


def to_milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    return EPOCH + milliseconds * MILLISECOND
