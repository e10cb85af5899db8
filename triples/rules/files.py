"""Files of rules: a document, a shorthand, or a JSON array of them."""

import sys
from pathlib import Path
from typing import Any

from skg_site.api.problems import Invalid
from skg_site.api.reading import NotJSON, parse_json
from triples.exchange.encodings import foreign_encoding
from triples.exchange.lines import BYTE_ORDER_MARK
from triples.rules.documents import Draft, Fault, FaultyRules, read_rules

PIPE = "-"


class UnreadableFile(Exception):
    """The message is a sentence that says which file cannot be read, and why."""


def read_file(name: str) -> list[Draft]:
    """The rules of a file, or of standard input (-); raises UnreadableFile, and FaultyRules with every fault."""
    return read_rules(_parsed(name, _content(name)))


def shown_name(name: str) -> str:
    return "standard input" if name == PIPE else name


def _content(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == PIPE else Path(name).read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{shown_name(name)}: {error.strerror}.") from None


def _parsed(name: str, content: bytes) -> Any:
    if encoding := foreign_encoding(content):
        raise UnreadableFile(
            f"{shown_name(name)} is {encoding}, not UTF-8; `iconv -f {encoding} -t UTF-8` makes it that."
        )
    try:
        return parse_json(content.removeprefix(BYTE_ORDER_MARK))
    except NotJSON as error:
        raise UnreadableFile(f"{shown_name(name)} is not JSON: {error.reason}.") from None
    except Invalid as problem:
        raise FaultyRules([Fault(tuple(fault["loc"]), fault["msg"]) for fault in problem.errors]) from None
