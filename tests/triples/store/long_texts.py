"""Long texts that an index could mistake for one another, or not hold."""

import random
import unicodedata

from triples.text import MAX_TERM_LENGTH

_DICE = random.Random(9)
_SAME = "".join(_DICE.choices("abcdefgh", k=3_000))


def _random_plane(first: int, last: int) -> str:
    """The longest text of characters that no compression makes shorter."""
    return "".join(chr(_DICE.randint(first, last)) for _ in range(MAX_TERM_LENGTH))


# Four bytes a character: 40,000 bytes.
LONGEST = _random_plane(0x20000, 0x2A6D0)
HOSTILE = {
    "four bytes a character": LONGEST,
    "the same but for the last": LONGEST[:-1] + chr(ord(LONGEST[-1]) ^ 1),
    "the same but for the 501st": LONGEST[:500] + chr(ord(LONGEST[500]) ^ 1) + LONGEST[501:],
    "its beginning": LONGEST[:501],
    "what its key begins with": LONGEST[:500],
    "3,000 bytes": _SAME,
    "3,000 bytes and one more": _SAME + "x",
    "3,000 bytes and another": _SAME + "y",
    "3,000 bytes and an accent": _SAME + "é",
    "backslashes": "\\" * 5_000,
    "other backslashes": "\\" * 5_001,
    "looks like bytes in hexadecimal": "\\x" + "41" * 600,
    "looks like octal": "\\101" * 300,
    "quotes": "'\"`$$%s%%?" * 100,
    "three bytes a character": "漢字" * 5_000,
    "marks": "e" + "\u0316" * 700,
    "one more than its own key": "k" * 501,
    "its own key": "k" * 500,
}
assert len(set(HOSTILE.values())) == len(HOSTILE)
assert all(unicodedata.is_normalized("NFC", text) for text in HOSTILE.values())
