"""Text for people: characters that control a terminal, or change the direction of text around them, are escaped.

U+202E, for one, lets a term be read backwards, together with what follows it on a page (Unicode Standard Annex 9).
"""

import re

# Beside the controls: marks and overrides of direction, line ends of their own, and characters without any width.
_FORMATTING = "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_BEYOND_ASCII = f"\x7f-\x9f{_FORMATTING}"
_UNSEEN = re.compile(f"[\x00-\x1f{_BEYOND_ASCII}\ud800-\udfff]")
_UNSEEN_IN_LINES = re.compile(f"[\x00-\x08\x0b-\x1f{_BEYOND_ASCII}\ud800-\udfff]")
_UNSEEN_IN_JSON = re.compile(f"[{_BEYOND_ASCII}]")


def visible(text: str) -> str:
    """The text on one line, with such characters written as in Python: `\\u202e`."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_escaped, text)


def visible_lines(text: str) -> str:
    """The same for a text of several lines, which stay; tabs do too."""
    return _UNSEEN_IN_LINES.sub(_escaped, text)


def visible_json(text: str) -> str:
    """JSON that says the same to a program; controls of ASCII are escaped in it anyway."""
    return text if text.isascii() else _UNSEEN_IN_JSON.sub(_escaped_in_json, text)


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]


def _escaped_in_json(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
