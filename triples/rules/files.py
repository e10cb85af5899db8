"""Files of rules: a JSON array of documents and shorthands."""

import sys
from pathlib import Path
from typing import Any

from skg_site.api.problems import Invalid
from skg_site.api.reading import NotJSON, parse_json
from triples.rules.documents import Draft, Fault, FaultyRules, read_documents

PIPE = "-"


class UnreadableFile(Exception):
    """The message is a sentence that says which file cannot be read, and why."""


def read_file(name: str) -> list[Draft]:
    """The rules of a file, or of standard input (-); raises UnreadableFile, and FaultyRules with every fault."""
    return read_documents(_parsed(name, _content(name)))


def shown_name(name: str) -> str:
    return "standard input" if name == PIPE else name


def _content(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == PIPE else Path(name).read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{shown_name(name)}: {error.strerror}.") from None


def _parsed(name: str, content: bytes) -> Any:
    try:
        return parse_json(content)
    except NotJSON as error:
        raise UnreadableFile(f"{shown_name(name)} is not JSON: {error.reason}.") from None
    except Invalid as problem:
        raise FaultyRules([Fault(tuple(fault["loc"]), fault["msg"]) for fault in problem.errors]) from None
