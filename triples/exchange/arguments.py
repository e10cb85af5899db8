"""Arguments that several commands have, and their exit codes."""

from argparse import ArgumentTypeError
from collections.abc import Callable

from django.core.management import CommandError

from triples.exchange.facts import UNSCALED, Scale
from triples.exchange.formats import FORMATS, Format, format_of

FAILED, MISUSED = 1, 2


def weight_argument(text: str) -> float:
    try:
        return UNSCALED.apply(float(text))
    except ValueError:
        raise ArgumentTypeError("must be a number from 0 to 1") from None


def scale_argument(text: str) -> Scale:
    try:
        return Scale.parse(text)
    except ValueError:
        raise ArgumentTypeError("must be two different numbers, such as 0:10") from None


def cleaned_argument(clean: Callable[[str], str]) -> Callable[[str], str]:
    """An argument that is brought into the form in which it is stored and looked up."""

    def cleaned(text: str) -> str:
        try:
            return clean(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return cleaned


def format_named(name: str, chosen: str | None) -> Format:
    """The chosen format, or the one that the name's ending stands for."""
    found = Format(chosen) if chosen else format_of(name)
    if found is None:
        raise CommandError(f"{name}: the name does not end in {', '.join(FORMATS)}; give --format.", returncode=MISUSED)
    return found
