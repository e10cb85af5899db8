"""Arguments for another service as the destination: its address, the key, and how requests are made."""

import os
import re
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management import CommandError

from skg_site.api.addresses import parse_address
from triples.exchange.arguments import FAILED, MISUSED
from triples.visible import visible

KEY_VARIABLE = "API_KEY"
PIPE = Path("-")
LARGEST_BATCH = 100_000

_UNITS = {"s": 1, "m": 60, "h": 3600}


def add_to(group: Any) -> None:
    """Add the arguments to a group of a parser's."""
    group.add_argument(
        "--to",
        type=target,
        metavar="URL",
        help="send the facts to the service at this address, as fast as the key's limits let it",
    )
    group.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help=f"a file that holds the key for --to, - for standard input (default: the variable {KEY_VARIABLE})",
    )
    group.add_argument(
        "--batch-size", type=batch_size, default=100, metavar="N", help="facts in a request (default: 100)"
    )
    group.add_argument(
        "--patience",
        type=seconds,
        default=120.0,
        metavar="TIME",
        help="for how long a service that does not answer is tried (default: 2m)",
    )


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
        # Reading the port raises ValueError for one that is no number.
        is_service = (
            url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0 and "@" not in url.netloc
        ) and not (url.query or url.fragment)
    except ValueError:
        is_service = False
    if not is_service:
        raise ArgumentTypeError("must be the address of a service, such as https://api.example.com")
    return text.rstrip("/")


def is_open_to_listeners(url: str) -> bool:
    """True if the key would travel through a network unencrypted."""
    parsed = urlsplit(url)
    return parsed.scheme == "http" and not _is_loopback(parsed.hostname or "")


def key_given(file: Path | None) -> str:
    if file is None:
        text, source = os.environ.get(KEY_VARIABLE, ""), f"The variable {KEY_VARIABLE}"
    else:
        text, source = _read(file), visible(str(file))
    # Editors on Windows begin a file with a byte order mark.
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
