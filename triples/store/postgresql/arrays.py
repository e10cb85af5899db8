"""Arrays as PostgreSQL reads them, to be sent as a text: psycopg takes six times as long to write a list as one."""

from collections.abc import Collection, Iterable


def numbers(values: Iterable[float]) -> str:
    """The literal of an array of numbers."""
    return "{" + ",".join(map(repr, values)) + "}"


def texts(values: Collection[str | None]) -> str:
    """The literal of an array of texts, some of which may be NULL."""
    return "{" + ",".join(map(_quoted, values)) + "}"


def _quoted(text: str | None) -> str:
    return "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
