"""The folded form of terms, in which names are searched, and the trigrams that the index keeps of it.

Case, accents and width do not matter to somebody who looks for a name; nor do the points of Arabic and Hebrew, which
few people write. Other marks stay: a Japanese voiced sound or an Indic vowel is another letter.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from unicodedata import category, normalize

# Control characters, which no term has: so the beginning and the end of a text have trigrams of their own. Of two at
# the beginning, one or two letters make a trigram.
START, END = "\x02\x02", "\x03"

GRAM = 3

# Of a longer text only the beginning is searched, or a few texts could take as long to index as thousands.
SEARCHED = 500
_CUT = "\x05"
# Between texts that are folded together; no term has this one, either.
_BETWEEN = "\x04"

# Accents and other marks that are drawn above, below and through letters of Latin, Greek and Cyrillic; the points of
# Hebrew and of Arabic; what chooses between two shapes of a character; and what takes no place at all.
_DROPPED = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\ua66f\ua674-\ua67d"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8"
    "\u06ea-\u06ed\ufe00-\ufe0f\U000e0100-\U000e01ef\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+"
)
# Letters that people type without the stroke, and that Unicode does not take apart.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "æ": "ae", "œ": "oe"})


class _Separators(dict[int, str]):
    """For `str.translate`: a space for each character that is no letter, no digit, and no mark on one."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        return letter if category(letter)[0] in "LMN" else " "


_SEPARATORS = _Separators()
# No others are remembered: there may be a million.
_SEPARATORS.update((code, _SEPARATORS[code]) for code in range(128))


class _Folded(dict[int, str]):
    """For `str.translate`: what each character becomes by itself."""

    def __missing__(self, code: int) -> str:
        plain = _DROPPED.sub("", normalize("NFKD", chr(code))).casefold().translate(_PLAIN)
        folded = _DROPPED.sub("", plain)
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


# Of a million characters.
_REMEMBERED = 10_000
_FOLDED = _Folded()


def fold(text: str) -> str:
    """The text without case, accents and width; itself where nothing else would be left of it."""
    if text.isascii():
        return text.lower()
    folded = text.translate(_FOLDED)
    # What was taken apart and has lost nothing, such as Korean syllables, is put together again.
    return (folded if folded.isascii() else normalize("NFC", folded)).strip() or text


def searched_form(text: str) -> str:
    """The folded text; of a long one the beginning, with a mark behind it that nobody can type."""
    return fold(text) if len(text) <= SEARCHED else f"{fold(text[:SEARCHED])}{_CUT}"


def searched_forms(texts: Sequence[str]) -> list[str]:
    """`searched_form` of each. Letters of ASCII, which most texts have alone, are folded in one step for all."""
    if not texts or len(max(texts, key=len)) > SEARCHED:
        return list(map(_remembered_form, texts))
    joined = _BETWEEN.join(texts)
    folded = joined.lower().split(_BETWEEN)
    if joined.isascii():
        return folded
    return [other if text.isascii() else _remembered_form(text) for text, other in zip(texts, folded, strict=True)]


def indexed_form(text: str) -> str:
    """The same with its ends marked."""
    return f"{START}{searched_form(text)}{END}"


# The newest terms, which are not indexed yet, are compared by every search, and those with frequent trigrams by many.
_remembered_form = lru_cache(maxsize=4_096)(searched_form)


@lru_cache(maxsize=4_096)
def words(folded: str) -> tuple[str, ...]:
    """The words of a folded text: what stands between characters that are no letters and no digits.

    They are remembered as the forms above are.
    """
    return tuple(folded.translate(_SEPARATORS).split())


def trigrams(form: str) -> list[str]:
    """The different trigrams of a folded text or of a part of one, in the order in which they begin."""
    # A writer that makes terms spends a third of its time here, so they are not sliced one by one.
    return list(dict.fromkeys(map("".join, zip(form, form[1:], form[2:], strict=False))))
