"""What the command line of a migration says, read; CommandError and ArgumentTypeError hold a sentence."""

import os
import re
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management import CommandError

from skg_site.api.addresses import parse_address
from triples.exchange.arguments import FAILED, MISUSED
from triples.exchange.facts import Scale
from triples.visible import visible

KEY_VARIABLE = "API_KEY"
PIPE = Path("-")
LARGEST_BATCH = 100_000

_UNITS = {"s": 1, "m": 60, "h": 3600}


def scale(text: str) -> Scale:
    try:
        return Scale.parse(text)
    except ValueError:
        raise ArgumentTypeError("must be two different numbers, such as 0:10") from None


def batch_size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LARGEST_BATCH):
        raise ArgumentTypeError(f"must be a whole number from 1 to {LARGEST_BATCH}")
    return int(text)


def seconds(text: str) -> float:
    match = re.fullmatch(r"(\d{1,5})([smh])", text, re.ASCII)
    if match is None:
        raise ArgumentTypeError("must be a length of time such as 90s, 15m or 12h")
    return float(match[1]) * _UNITS[match[2]]


def target(text: str) -> str:
    """The address of a service, without a slash at its end."""
    try:
        url = urlsplit(text)
        # Reading the port is what finds one that is no number.
        is_service = (
            url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0 and "@" not in url.netloc
        ) and not (url.query or url.fragment)
    except ValueError:
        is_service = False
    if not is_service:
        raise ArgumentTypeError("must be the address of a service, such as https://api.example.com")
    return text.rstrip("/")


def is_open_to_listeners(url: str) -> bool:
    """Whether the key would travel through a network in the clear."""
    parsed = urlsplit(url)
    return parsed.scheme == "http" and not _is_loopback(parsed.hostname or "")


def key_given(file: Path | None) -> str:
    if file is None:
        text, source = os.environ.get(KEY_VARIABLE, ""), f"The variable {KEY_VARIABLE}"
    else:
        text, source = _read(file), visible(str(file))
    # As an editor on Windows writes it, a file begins with a byte order mark.
    text = text.removeprefix("\ufeff").strip()
    if not (text and text.isprintable() and text.isascii()):
        raise CommandError(f"{source} does not hold a key.", returncode=MISUSED)
    return text


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if file == PIPE else file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CommandError(f"{visible(str(file))}: {error.strerror}.", returncode=FAILED) from None


def _is_loopback(host: str) -> bool:
    address = parse_address(host)
    return host == "localhost" if address is None else address.is_loopback
