"""What the two commands read alike from their command lines, and with which codes they exit."""

from argparse import ArgumentTypeError

from django.core.management import CommandError

from triples.exchange.facts import UNSCALED
from triples.exchange.formats import FORMATS, Format, format_of

FAILED, MISUSED = 1, 2


def weight_argument(text: str) -> float:
    try:
        return UNSCALED.apply(float(text))
    except ValueError:
        raise ArgumentTypeError("must be a number from 0 to 1") from None


def format_named(name: str, chosen: str | None) -> Format:
    """The format that was chosen, or that the name stands for."""
    found = Format(chosen) if chosen else format_of(name)
    if found is None:
        raise CommandError(f"{name}: the name does not end in {', '.join(FORMATS)}; give --format.", returncode=MISUSED)
    return found
