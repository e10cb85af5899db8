"""Patterns and pairs as people type them: terms and variables on a line, a term with spaces in double quotes.

?x parent_of ?y
?x "lives in" "New York"
"""

import re
from typing import Any

from triples.recursion.rules import RuleError

# A text in double quotes, in which a backslash takes the next character as it is, or anything without white space.
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]\S*)')


def read_line(line: str) -> list[str | dict[str, str]]:
    """The places on a line, as a rule's document has them; RuleError when a quotation does not end."""
    places: list[str | dict[str, str]] = []
    rest = line.strip()
    while rest:
        found = _TOKEN.match(rest)
        if found is None:
            raise RuleError((), "a quotation must end with a double quote before white space or the end of the line")
        quoted, bare = found.groups()
        places.append(bare if quoted is None else _constant(re.sub(r"\\(.)", r"\1", quoted)))
        rest = rest[found.end() :].lstrip()
    return places


def write_line(places: list[Any]) -> str:
    """What `read_line` reads as these places of a rule's document."""
    return " ".join(map(_written, places))


def _constant(text: str) -> str | dict[str, str]:
    return {"term": text} if text.lstrip().startswith("?") else text


def _written(place: Any) -> str:
    text: str = place["term"] if isinstance(place, dict) else place
    if isinstance(place, dict) or text.startswith('"') or not text or any(map(str.isspace, text)):
        escaped = re.sub(r'(["\\])', r"\\\1", text)
        return f'"{escaped}"'
    return text
