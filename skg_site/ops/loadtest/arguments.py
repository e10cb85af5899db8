"""What the command line of a load says, read; CommandError and ArgumentTypeError hold a sentence."""

import os
import re
import sys
from argparse import ArgumentTypeError
from pathlib import Path

from django.core.management import CommandError

from skg_site.cli.durations import parse_duration
from skg_site.ops.loadtest.mixes import Mix, parse_mix
from skg_site.ops.loadtest.run import NAME_PATTERN
from skg_site.ops.loadtest.targets import BadTarget, is_on_this_machine, parse_target

FAILED, MISUSED = 1, 2

KEY_VARIABLE = "API_KEY"
MOST_CONNECTIONS = 10_000
LARGEST_BATCH = 100_000


def target(text: str, *, allow_any: bool) -> str:
    try:
        url = parse_target(text)
        allowed = allow_any or is_on_this_machine(url)
    except BadTarget as error:
        raise CommandError(str(error), returncode=MISUSED) from None
    if not allowed:
        sentence = f"{url} is not on this machine. If it is yours to load: --i-own-this-host."
        raise CommandError(sentence, returncode=MISUSED)
    return url


def key(file: Path | None) -> str | None:
    """None where no key is given: a service may have its authentication turned off."""
    if file is None:
        text, source = os.environ.get(KEY_VARIABLE, ""), KEY_VARIABLE
        if not text:
            return None
    else:
        text, source = _read(file).removeprefix("\ufeff").strip(), str(file)
    if not (text and text.isprintable() and text.isascii()):
        raise CommandError(f"{source} does not hold a key.", returncode=MISUSED)
    return text


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.", returncode=FAILED) from None
    except UnicodeDecodeError:
        raise CommandError(f"{file} does not hold a key.", returncode=MISUSED) from None


def mix(text: str) -> Mix:
    try:
        return parse_mix(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def name(text: str) -> str:
    """Of nothing but a load: whatever has it is deleted."""
    if not re.fullmatch(NAME_PATTERN, text):
        raise ArgumentTypeError("must be the name of a load, such as load_test-1a2b3c4d")
    return text


def seconds(text: str) -> float:
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def duration(text: str) -> float:
    found = seconds(text)
    if not found:
        raise ArgumentTypeError("must be more than nothing")
    return found


def connections(text: str) -> int:
    return _whole(text, MOST_CONNECTIONS)


def batch_size(text: str) -> int:
    return _whole(text, LARGEST_BATCH)


def _whole(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ArgumentTypeError(f"must be a whole number from 1 to {most}")
    return int(text)


def rate(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= 1_000_000:
        raise ArgumentTypeError("must be a number of requests a second")
    return number


def share(text: str) -> float:
    number = text.removesuffix("%")
    try:
        found = float(number) / (1 if number == text else 100)
    except ValueError:
        found = -1
    if not 0 <= found <= 1:
        raise ArgumentTypeError("must be a share such as 0.5% or 0.005")
    return found
