"""Questions as lines of text, read to the body of `POST /query/patterns`. The syntax is that of rules.

?c colleague_of ?p
?p won "Nobel Prize"
optional ?p born_in ?b ?b lies_in ?l
absent ?p retired_in ?y
filter ?c != ?p
filter ?b in Paris Rome "New York"
select ?c ?p ?b

A line is a pattern unless its first word says what else it is. Six or nine places on an optional line are a group of
two or three patterns.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, get_args

from triples.question_lines.faults import FaultyQuestion, Names
from triples.recursion.rules import RuleError
from triples.rules.lines import read_line

Member = Literal["patterns", "optional", "absent", "filter", "select"]
_WORDS: tuple[Member, ...] = get_args(Member)[1:]


class Line(NamedTuple):
    """A line of a question: the member of the body that it belongs to, its text, and its name in messages."""

    member: Member
    text: str
    name: str


def split_lines(text: str) -> Iterator[Line]:
    """The lines of a text that are not empty, each with the member that its first word names."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        # A subject that is one of these words must be in quotes.
        word, *rest = line.split(None, 1)
        name = f"Line {number}"
        for member in _WORDS:
            if word == member:
                yield Line(member, rest[0] if rest else "", name)
                break
        else:
            yield Line("patterns", line, name)


def read_lines(lines: Iterable[Line]) -> tuple[dict[str, list[Any]], Names]:
    """The members of the body, and the names of their lines in messages. Raises FaultyQuestion."""
    document: dict[str, list[Any]] = {"patterns": []}
    names: Names = {}
    faults: list[str] = []
    for member, text, name in lines:
        try:
            places = read_line(text)
        except RuleError as error:
            faults.append(f"{name}: {error}.")
            continue
        read = document.setdefault(member, [])
        more = places if member == "select" else [_read(member, places)]
        names |= {(member, number): name for number in range(len(read), len(read) + len(more))}
        read += more
    if faults:
        raise FaultyQuestion(faults)
    return document, names


def _read(member: Member, places: list[Any]) -> list[Any]:
    """The places of a line, in the form of the body, whose reader checks them."""
    if member == "optional":
        return [places[start : start + 3] for start in range(0, len(places), 3)] or [[]]
    if member == "filter" and places[1:2] == ["in"]:
        return [*places[:2], places[2:]]
    return places
