r"""The keys of terms in PostgreSQL's index, whose entries have at most some 2,700 bytes.

The key of a long text is its beginning and its SHA-256, with a control character between them, which no term has. So
keys are unique, they sort by the first 500 characters, and a short text, which nearly all are, is its own key. SQLite
indexes any text as it is: it has no function for such a sum, and one of our own would keep other programs from opening
the database.
"""

from hashlib import sha256
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler

KEPT = 500
_MARK = "\x01"

# A text that is cast to bytes has its backslashes doubled.
POSTGRESQL_KEY = (
    rf"CASE WHEN length({{0}}) <= {KEPT} THEN {{0}} ELSE left({{0}}, {KEPT}) || E'\x01'"
    r" || encode(sha256(replace({0}, E'\\', E'\\\\')::bytea), 'hex') END"
)


def postgresql_key(text: str) -> str:
    """The key of a text on PostgreSQL."""
    return text if len(text) <= KEPT else f"{text[:KEPT]}{_MARK}{sha256(text.encode()).hexdigest()}"


class TermKey(Func):
    """The key of a text in the index of terms."""

    template = "%(expressions)s"
    arity = 1

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, list[Any]]:
        template = POSTGRESQL_KEY.format("%(expressions)s")
        sql, parameters = self.as_sql(compiler, connection, template=template, **context)
        assert not parameters, "the text is a column"
        return sql, []
