"""Types of command-line arguments, and the parser of one action among several."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.core.management import CommandParser

from skg_site.cli.durations import parse_duration

Value = TypeVar("Value")


def argument(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """Use `parse` as the type of an argument: the message of its ValueError is shown to the user."""

    def parsed(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return parsed


def with_dashes_kept(arguments: Sequence[str]) -> list[str]:
    """The arguments, with a space after each value that is two dashes, which argparse drops before Python 3.13.

    Commands strip the texts that they get.
    """
    return [f"{each} " if each.startswith("--") and each.endswith("=--") else each for each in arguments]


@argument
def duration(text: str) -> timedelta:
    return parse_duration(text)


@argument
def seconds(text: str) -> float:
    return parse_duration(text).total_seconds()


@argument
def share(text: str) -> float:
    """A number from 0 to 1, or a percentage."""
    number = text.removesuffix("%")
    try:
        found = float(number) / (1 if number == text else 100)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ValueError("must be a share such as 0.5% or 0.005")
    return found


def whole_number(most: int | None = None) -> Callable[[str], int]:
    """A number from 1, to `most` if that is given."""
    up_to = "" if most is None else f" to {most}"

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= (most or int(text))):
            raise ValueError(f"must be a whole number from 1{up_to}")
        return int(text)

    return argument(parse)


def add_action(actions: Any, name: str, run: Callable[..., None], text: str) -> CommandParser:
    """Add an action to the subparsers of a command; `handle` gets `run` among the options."""
    parser: CommandParser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument("--json", action="store_true", help="write JSON, in the fields of the API")
    parser.set_defaults(run=run)
    return parser


def option_named(name: str) -> str:
    """The option as it is written in a command line."""
    return f"--{name.replace('_', '-')}"
