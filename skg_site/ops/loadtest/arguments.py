"""Types of the arguments of a load test."""

import re

from django.core.management import CommandError

from skg_site.cli.arguments import argument, seconds
from skg_site.cli.exit_codes import MISUSED
from skg_site.cli.service_urls import BadURL, is_on_this_machine, parse_service_url
from skg_site.ops.loadtest.run import NAME_PATTERN


def target(text: str, *, allow_any: bool) -> str:
    """The URL of the service; raises CommandError for another machine's, unless that is allowed."""
    try:
        url = parse_service_url(text)
        allowed = allow_any or is_on_this_machine(url)
    except BadURL as error:
        raise CommandError(str(error), returncode=MISUSED) from None
    if not allowed:
        sentence = f"{url} is not on this machine. If it is yours to load: --i-own-this-host."
        raise CommandError(sentence, returncode=MISUSED)
    return url


@argument
def name(text: str) -> str:
    """The name of a load test and of nothing else: the facts that have it as their predicate are deleted."""
    if not re.fullmatch(NAME_PATTERN, text):
        raise ValueError("must be the name of a load, such as load_test-1a2b3c4d")
    return text


@argument
def duration(text: str) -> float:
    found = seconds(text)
    if not found:
        raise ValueError("must be more than nothing")
    return found


@argument
def rate(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= 1_000_000:
        raise ValueError("must be a number of requests a second")
    return number
