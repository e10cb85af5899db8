"""Terms: the texts that can be one, and their normal form, on writes and on queries alike."""

import re
from functools import cache
from typing import Any, Literal
from unicodedata import combining, normalize

from pydantic import Field

# What may stand in a graph at all. SKG_MAX_TERM_LENGTH says how long new terms may be; see `triples.fact_validation`.
MAX_TERM_LENGTH = 10_000
MAX_PREDICATE_LENGTH = 500
# With the question mark.
MAX_VARIABLE_LENGTH = 500
# Many engines of regular expressions count no further.
_MOST_COUNTED = 1_000

# No character decomposes into more than this many, so a text beyond this multiple of a limit never composes into it.
_MOST_COMPOSED = 4
# No character composes with more than this many of the marks that follow it.
_MOST_TAKEN_UP = 3
# Marks in a row beyond which they are brought into order here: `normalize` takes the square of their number.
_LONG_RUN = 64
# Marks that are two, and that nothing says of them.
_DOUBLE_MARKS = {ord(mark): normalize("NFD", mark) for mark in "\u0f73\u0f75\u0f81"}

# C0 and C1 controls with DEL, and surrogates, which stand for no character by themselves.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_GUIDE_TERM = re.compile(r"[\w\s\-]+")

# Classes of characters for the regular expressions of JSON Schema.
_CONTROL = r"\u0000-\u001F\u007F-\u009F"
_BLANK = r" \u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
# White space may surround a text: it is removed first.
_OUTER = rf"[\u0009-\u000D\u001C-\u001F\u0085{_BLANK}]*"
_EDGE = rf"[^{_CONTROL}{_BLANK}]"


class TermError(ValueError):
    """A text that cannot be a term; the message says why."""


def clean_term(text: str, limit: int = MAX_TERM_LENGTH) -> str:
    """`text` in NFC without outer white space; TermError when nothing or too much is left of it."""
    text = text.strip()
    if not (text.isascii() and text.isprintable()):
        if found := _FORBIDDEN.search(text):
            # A command's arguments have one for each byte that is not UTF-8.
            kind = "lone surrogate" if found[0] >= "\ud800" else "control character"
            raise TermError(f"must not contain the {kind} U+{ord(found[0]):04X}")
        # What is far too long is not tried.
        if len(text) <= limit * _MOST_COMPOSED:
            if len(text) > _LONG_RUN:
                text = _with_marks_in_order(text, limit)
            # White space stays white space in NFC and other characters never become it: the edges stay clean.
            text = normalize("NFC", text)
    if not text:
        raise TermError("must not be empty")
    if len(text) > limit:
        raise TermError(f"must have at most {limit} characters, not {len(text)}")
    return text


def clean_guide_term(text: str, limit: int = MAX_TERM_LENGTH) -> str:
    """Like `clean_term`, and only letters, digits, white space, `-` and `_`, as the deployment guide has it."""
    text = clean_term(text, limit)
    if not _GUIDE_TERM.fullmatch(text):
        raise TermError("must consist of letters, digits, spaces, - and _ only")
    return text


def text_schema(longest: int, example: str) -> Any:
    """The JSON Schema of a text that `clean_term` cleans."""
    description = f"1 to {longest} characters, none of them a control character. White space around them is taken off."
    return Field(json_schema_extra=text_limits(longest), description=description, examples=[example])


# What a text may be that begins with a question mark: any text, the name of a variable, or nothing at all.
Question = Literal["text", "variable", "nothing"]


def text_limits(longest: int, *, question: Question = "text") -> dict[str, Any]:
    """The JSON Schema of such a text's characters; see `text_pattern`."""
    pattern = text_pattern(longest, question=question)
    return {"pattern": pattern} if longest <= _MOST_COUNTED else {"pattern": pattern, "maxLength": longest}


def text_pattern(longest: int, *, question: Question = "text") -> str:
    """The regular expression of such a text; `question` is what may begin with a question mark."""
    # Only a pattern can bound the length without the outer white space.
    within = f"{{0,{longest - 2}}}" if longest <= _MOST_COUNTED else "*"
    text = f"([^{_CONTROL}]{within}{_EDGE})?"
    text = f"{_EDGE if question == 'text' else f'[^?{_CONTROL}{_BLANK}]'}{text}"
    if question == "variable":
        name = rf"\?\w{{1,{min(longest, MAX_VARIABLE_LENGTH) - 1}}}"
        text = f"({name}|{text})"
    return f"^{_OUTER}{text}{_OUTER}$"


def _with_marks_in_order(text: str, limit: int) -> str:
    """The same text to `normalize`, which has less to do with it; TermError if it is too long whatever comes of it."""
    # A long run cannot miss all of these characters, and few texts have a mark at one of them.
    if not any(combining(sample) or ord(sample) in _DOUBLE_MARKS for sample in text[:: _LONG_RUN // 2]):
        return text
    lengths = [end - start for start, end in map(re.Match.span, _runs_of_marks().finditer(text))]
    if max(lengths, default=0) < _LONG_RUN:
        return text
    if (least := sum(max(length - _MOST_TAKEN_UP, 0) for length in lengths)) > limit:
        raise TermError(f"must have at most {limit} characters, not {least} or more")
    return _runs_of_marks().sub(_in_order, text)


def _in_order(run: re.Match[str]) -> str:
    return "".join(sorted(run[0].translate(_DOUBLE_MARKS), key=combining)) if len(run[0]) >= _LONG_RUN else run[0]


@cache
def _runs_of_marks() -> re.Pattern[str]:
    # There are no combining marks beyond this (Unicode 16).
    marks = "".join(chr(code) for code in range(0x1E950) if combining(chr(code)))
    return re.compile(f"[{re.escape(marks)}{''.join(map(chr, _DOUBLE_MARKS))}]+")
