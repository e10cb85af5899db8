"""The tables that a copy of the database takes along: those of all models, and Django's record of migrations.

What is made from them is left out: the index of terms, which the copy makes itself, and the inferred facts, which it
takes as a whole.
"""

from dataclasses import dataclass
from enum import Enum

from django.apps import apps
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder

from triples.fields import JSONText

# The ids of a table are compared in groups of this many.
GROUP = 4_000

TERMS, FACTS = "triples_term", "triples_triple"


class Kind(Enum):
    """The kinds of columns, by how their values differ between the databases."""

    SAME = 0
    BOOLEAN = 1
    MOMENT = 2
    # Parsed and compared by its content: PostgreSQL does not keep the text of this one.
    JSON = 3
    JSON_TEXT = 4
    BYTES = 5


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    # The columns of the primary key.
    key: tuple[str, ...]
    # The database counts the keys up, and never gives one twice.
    counts: bool
    # Compared by groups of ids: of a row with the same id, only `version` can differ, if there is one.
    by_groups: bool = False
    version: str | None = None
    # The time, in milliseconds, at which a row got its version. Two changes may have the same.
    changed_at: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def key_of(self, row: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(row[self.names.index(name)] for name in self.key)


# Tables that grow with the graph and with time: their rows never change, except for one column.
_BY_GROUPS: dict[str, str | None] = {
    TERMS: None,
    FACTS: "updated_at",
    "triples_change": "gone",
    "triples_hiddenfact": None,
    "apikeys_keyevent": None,
    "django_admin_log": None,
}
_CHANGED_AT = {FACTS: "updated_at"}


def copied_tables() -> list[Table]:
    """All tables; terms and then facts come first, so that each fact's terms are there before it."""
    found: list[type[models.Model]] = [*apps.get_models(include_auto_created=True)]
    found.append(MigrationRecorder(connection).Migration)
    tables = [_table(model) for model in found if model._meta.managed and not model._meta.proxy]
    first = (TERMS, FACTS)
    return sorted(tables, key=lambda table: first.index(table.name) if table.name in first else len(first))


def _table(model: type[models.Model]) -> Table:
    name = model._meta.db_table
    columns = [Column(field.column, _kind(field)) for field in model._meta.local_concrete_fields if field.column]
    return Table(
        name,
        tuple(columns),
        tuple(str(field.column) for field in model._meta.pk_fields),
        isinstance(model._meta.pk, models.AutoField | models.BigAutoField),
        name in _BY_GROUPS,
        _BY_GROUPS.get(name),
        _CHANGED_AT.get(name),
    )


def _kind(field: models.Field) -> Kind:  # type: ignore[type-arg]  # Django's fields are generic in their stubs only
    match field:
        case models.BooleanField():
            return Kind.BOOLEAN
        case models.DateTimeField():
            return Kind.MOMENT
        case JSONText():
            return Kind.JSON_TEXT
        case models.JSONField():
            return Kind.JSON
        case models.BinaryField():
            return Kind.BYTES
        case _:
            return Kind.SAME
