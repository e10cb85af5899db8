"""Members of keys in the form in which they are stored; ValueError says what is wrong."""

import re
from typing import Any
from unicodedata import normalize

from skg_site.api.addresses import parse_networks
from skg_site.api.rates import Rate

MAX_NAME_LENGTH = 100

# Control characters, line breaks and direction marks, for the brackets of a regular expression. `str.isprintable`
# would refuse other characters with each edition of Unicode.
UNSHOWN = r"\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069"
# The most characters that one character decomposes into.
_MOST_COMPOSED = 4

_UNSHOWN = re.compile(rf"[{UNSHOWN}\uD800-\uDFFF]")


def composed(value: Any) -> Any:
    """Text in Unicode's composed form (NFC); anything else as it is."""
    return normalize("NFC", value) if isinstance(value, str) else value


def clean_name(text: str) -> str:
    """`text` in NFC without outer white space, as names are stored and looked up."""
    text = text.strip()
    # NFC orders combining marks in quadratic time, so texts that are far too long are not normalised.
    if len(text) <= MAX_NAME_LENGTH * _MOST_COMPOSED:
        text = normalize("NFC", text)
    if not text:
        raise ValueError("the name must not be empty")
    if len(text) > MAX_NAME_LENGTH:
        raise ValueError(f"the name must have at most {MAX_NAME_LENGTH} characters, not {len(text)}")
    if _UNSHOWN.search(text):
        raise ValueError("the name must not contain control characters or line breaks")
    return text


def clean_rate(text: str) -> str:
    """`100` becomes `100/m`; an empty text stays empty and means the rate of the service."""
    if not text.strip():
        return ""
    try:
        return str(Rate.parse(text))
    except ValueError as error:
        raise ValueError(f"the rate {error}") from None


def clean_networks(text: str) -> str:
    """Each network once, sorted, with its prefix length; an empty text stays empty and means any address."""
    networks = sorted(set(parse_networks(text)), key=lambda network: (network.version, network))
    return ",".join(map(str, networks))
