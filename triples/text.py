"""What a term may be, and the one way it is brought into shape, on writes and on queries alike."""

import re
from unicodedata import normalize

MAX_TERM_LENGTH = 500
MAX_PREDICATE_LENGTH = 100

# No character decomposes into more than so many, so a text beyond this multiple of a limit never composes into it.
_MOST_COMPOSED = 4

# C0 and C1 controls with DEL, and surrogates, which stand for no character by themselves.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_GUIDE_TERM = re.compile(r"[\w\s\-]+")


class TermError(ValueError):
    """A text that cannot be a term; the message says why."""


def clean_term(text: str, limit: int = MAX_TERM_LENGTH) -> str:
    """`text` in NFC without outer white space; TermError when nothing or too much is left of it."""
    text = text.strip()
    if not (text.isascii() and text.isprintable()):
        if found := _FORBIDDEN.search(text):
            raise TermError(f"must not contain the control character U+{ord(found[0]):04X}")
        # Bringing marks into order takes the square of their number, so what is far too long is not tried.
        if len(text) <= limit * _MOST_COMPOSED:
            # White space stays white space in NFC and other characters never become it: the edges stay clean.
            text = normalize("NFC", text)
    if not text:
        raise TermError("must not be empty")
    if len(text) > limit:
        raise TermError(f"must have at most {limit} characters, not {len(text)}")
    return text


def clean_guide_term(text: str, limit: int = MAX_TERM_LENGTH) -> str:
    """As `clean_term`, and only letters, digits, white space, `-` and `_`, as the deployment guide has it."""
    text = clean_term(text, limit)
    if not _GUIDE_TERM.fullmatch(text):
        raise TermError("must consist of letters, digits, spaces, - and _ only")
    return text
