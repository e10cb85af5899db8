"""Faults of questions as sentences. Each names the line or the option that has the fault."""

from collections.abc import Mapping, Sequence

from skg_site.api.problems import FieldError
from triples.visible import visible

# The names in messages of the body's members, and of the items that a member lists.
Names = dict[tuple[str] | tuple[str, int], str]

_PLACES = ("subject", "predicate", "object")
_SIDES = ("left side", "operator", "right side")


class FaultyQuestion(ValueError):
    """The question has faults. `sentences` say which."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = list(sentences)


def faulty(errors: Sequence[FieldError], names: Mapping[tuple[str] | tuple[str, int], str]) -> FaultyQuestion:
    """The error for the faults of a body. `names` are those of its members in messages."""
    return FaultyQuestion(list(dict.fromkeys(_sentence(error, names) for error in errors)))


def _sentence(error: FieldError, names: Mapping[tuple[str] | tuple[str, int], str]) -> str:
    if error["loc"] == ["patterns"] and error["type"] == "too_short":
        return "There is no pattern: write one at least, such as ?x knows ?y."
    first, *inner = error["loc"] or ["question"]
    name = str(first)
    place = names.get((name,), name)
    if inner and isinstance(inner[0], int):
        own = names.get((name, inner[0]))
        place = ", ".join([f"{place} {inner[0] + 1}" if own is None else own, *_within(name, inner[1:])])
    message = error["msg"]
    for member, told in names.items():
        # Messages name other members, too.
        message = message.replace(f"`{member[0]}`", told) if len(member) == 1 else message
    return visible(f"{place}: {message[:1].lower()}{message[1:]}.")


def _within(member: str, inner: Sequence[str | int]) -> list[str]:
    """The place within an item that the member lists."""
    if member == "filter":
        return [_SIDES[inner[0]]] if inner and isinstance(inner[0], int) else []
    found: list[str] = []
    if member == "optional" and inner:
        found.append(f"pattern {int(inner[0]) + 1}")
        inner = inner[1:]
    if inner and isinstance(inner[0], int):
        found.append(_PLACES[inner[0]])
    return found
