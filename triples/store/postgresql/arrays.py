"""Arrays as PostgreSQL reads them, to be sent as a text: psycopg takes six times as long to write a list as one."""

from collections.abc import Collection, Iterable


def numbers(values: Iterable[float]) -> str:
    """The literal of an array of numbers."""
    return "{" + ",".join(map(repr, values)) + "}"


def texts(values: Collection[str | None]) -> str:
    """The literal of an array of texts, some of which may be NULL."""
    # Most are of NULL alone, or have nothing to escape. To write each value by itself takes several times as long.
    given = [text for text in values if text is not None]
    if not given:
        return "{" + ",".join(["NULL"] * len(values)) + "}"
    joined = '","'.join(given)
    if len(given) == len(values) and "\\" not in joined and joined.count('"') == 2 * (len(given) - 1):
        return '{"' + joined + '"}'
    return "{" + ",".join(map(_quoted, values)) + "}"


def _quoted(text: str | None) -> str:
    return "NULL" if text is None else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
