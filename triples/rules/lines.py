"""Patterns and pairs on a line: terms and variables, with double quotes around a term with spaces.

?x parent_of ?y
?x "lives in" "New York"

In a quotation a backslash escapes the next character, and \\u with four digits is the character of that number.
Invisible characters are written so.
"""

import re
from typing import Any

from triples.recursion.rules import RuleError
from triples.visible import visible, visible_json

# A text in double quotes, in which a backslash escapes the next character, or any text without white space.
_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|(.))")
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]\S*)')


def read_line(line: str) -> list[str | dict[str, str]]:
    """The places on a line, as in a rule's document; RuleError if a quotation does not end."""
    places: list[str | dict[str, str]] = []
    rest = line.strip()
    while rest:
        found = _TOKEN.match(rest)
        if found is None:
            raise RuleError((), "a quotation must end with a double quote before white space or the end of the line")
        quoted, bare = found.groups()
        places.append(bare if quoted is None else _constant(_ESCAPE.sub(_meant, quoted)))
        rest = rest[found.end() :].lstrip()
    return places


def write_line(places: list[Any]) -> str:
    """The line that `read_line` parses to these places of a rule's document."""
    return " ".join(map(_written, places))


def _constant(text: str) -> str | dict[str, str]:
    return {"term": text} if text.lstrip().startswith("?") else text


def _meant(escape: re.Match[str]) -> str:
    number, character = escape.groups()
    return character if number is None else chr(int(number, 16))


def _written(place: Any) -> str:
    text: str = place["term"] if isinstance(place, dict) else place
    shown = visible(text)
    if isinstance(place, dict) or text.startswith('"') or shown != text or not text or any(map(str.isspace, text)):
        escaped = re.sub(r'(["\\])', r"\\\1", text)
        return f'"{visible_json(escaped)}"'
    return text
