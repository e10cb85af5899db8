"""Answers of tools: tables as text and as JSON, each within a number of bytes."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from triples.visible import visible

# The room that each answer leaves for its notes.
NOTES_BYTES = 1_400
# What the names of members and the brackets of an answer take.
_FRAME = 200
# What a character takes at most, as text or as JSON, since some are escaped.
_ESCAPED = 6


class Answer(NamedTuple):
    """The same answer for a model to read and for a program."""

    text: str
    structured: dict[str, Any]


class Work(NamedTuple):
    """The request of a valid call, and how many tokens of the rate limit it takes."""

    cost: int
    answer: Callable[[], Coroutine[Any, Any, Answer]]


class Refusal(Exception):
    """A call that a tool does not answer. The message tells the model what to do instead."""


class Fitted(NamedTuple):
    """The first rows, as many as there is room for."""

    rows: list[list[Any]]
    # Whether the only row is shown with its texts cut.
    cut: bool


def line(row: Sequence[Any]) -> str:
    """A row as text: cells with tabs between them."""
    return "\t".join(map(cell, row))


def cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else visible(str(value))


def told_weight(weight: float) -> float:
    """The weight to six digits, however small it is: one that is told as 0 would match nothing."""
    return float(f"{weight:.6g}")


def fitted(rows: Sequence[list[Any]], most: int, write: Callable[[Sequence[Any]], str] = line) -> Fitted:
    """The rows that take at most so many bytes, both as `write` writes them and as JSON; at least one."""
    shown: list[list[Any]] = []
    left = most
    for row in rows:
        left -= max(len(write(row).encode()), len(orjson.dumps(row))) + 1
        if left < 0:
            break
        shown.append(row)
    if shown or not rows:
        return Fitted(shown, cut=False)
    return Fitted([_cut(rows[0], max(1, most // (2 * _ESCAPED * _texts_in(rows[0]))))], cut=True)


def room(columns: Sequence[str], budget: int, notes: int = NOTES_BYTES) -> int:
    """The bytes that are left for rows; a Refusal if the names of the columns take too many."""
    left = budget - notes - max(len(line(columns).encode()), len(orjson.dumps(columns)))
    if left < budget // 2:
        raise Refusal("The names of the variables take too much room: `select` fewer, or give them shorter names.")
    return left


def table(
    columns: Sequence[str],
    fit: Fitted,
    notes: Sequence[str],
    *,
    write: Callable[[Sequence[Any]], str] = line,
    most: int = NOTES_BYTES,
    **more: Any,
) -> Answer:
    """The rows and, below them, what is to be said of them, the first notes if there is no room for all."""
    told = _within(["Long texts are cut; ask for fewer columns to see them.", *notes] if fit.cut else notes, most)
    lines = [line(columns), *map(write, fit.rows)] if fit.rows else []
    structured: dict[str, Any] = {"columns": list(columns), "rows": fit.rows, **more}
    if told:
        structured["notes"] = told
    return Answer("\n".join([*lines, *told]), structured)


def quoted(text: str, most: int = 80) -> str:
    """A text of a client's within a sentence."""
    seen = visible(text)
    return f"`{seen if len(seen) <= most else seen[:most] + '…'}`"


def _within(notes: Iterable[str], most: int) -> list[str]:
    """The first notes, without the bytes around them."""
    left = most - _FRAME
    kept: list[str] = []
    for note in notes:
        left -= len(orjson.dumps(note)) + 1
        if left >= 0:
            kept.append(note)
    return kept


def _texts_in(value: Any) -> int:
    return sum(map(_texts_in, value)) if isinstance(value, list) else 1


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, list):
        return [_cut(one, most) for one in value]
    return value[:most] + "…" if isinstance(value, str) and len(value) > most else value
