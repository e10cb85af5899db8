"""The texts that may have been meant by a short one with a typo. They are few enough to be looked up as they are.

Of a short text a typo leaves one trigram or none, which too many terms have. It is pure.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from unicodedata import name

# Of a longer text, a typo leaves trigrams that are rare enough.
LONGEST = 8
# A text of two letters may lack one of three. Another typo would leave one letter.
SHORTEST = 2
# So many letters are tried at each place, the most frequent ones of the graph. More than one alphabet has with digits.
MOST_LETTERS = 40
# Longer names are hardly ever all capitals.
_LONGEST_CAPITALS = 4
_USUAL = (str, str.lower, str.capitalize, str.title)
_SPELLINGS = (*_USUAL, str.upper)


def spellings(texts: Iterable[str], spelt: Sequence[Callable[[str], str]] = _SPELLINGS) -> list[str]:
    """The texts as they are usually written, each once."""
    return list(dict.fromkeys(spelling(text) for text in texts for spelling in spelt))


def meant(typed: str, frequent: Iterable[str]) -> list[str]:
    """The texts with one typo less, in their usual spellings; none of a text that is not short.

    `frequent` are the letters of the graph, the most frequent first. Those of other scripts are not tried.
    """
    if not SHORTEST <= len(typed) <= LONGEST:
        return []
    letters = _letters(typed, frequent)
    splits = [(typed[:place], typed[place:]) for place in range(len(typed) + 1)]
    texts = [before + letter + after for before, after in splits for letter in letters]
    if len(typed) > SHORTEST:
        texts += [before + after[1:] for before, after in splits if after]
        texts += [before + after[1] + after[0] + after[2:] for before, after in splits if len(after) > 1]
        texts += [before + letter + after[1:] for before, after in splits if after for letter in letters]
    return spellings(texts, _SPELLINGS if len(typed) <= _LONGEST_CAPITALS or typed.isupper() else _USUAL)


def _letters(typed: str, frequent: Iterable[str]) -> Sequence[str]:
    scripts = set(map(_script, typed)) | {"DIGIT"}
    return list(islice((letter for letter in frequent if _script(letter) in scripts), MOST_LETTERS))


def _script(letter: str) -> str:
    """The first word of the character's name, which is its script or kind: LATIN, CYRILLIC, CJK, DIGIT."""
    return name(letter, "").partition(" ")[0]
