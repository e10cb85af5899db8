"""Detection of UTF-16 and UTF-32, which some editors on Windows write."""

import codecs

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def foreign_encoding(beginning: bytes) -> str | None:
    """The encoding that a text's first bytes show. None if it may be UTF-8."""
    for mark, encoding in _MARKS.items():
        if beginning.startswith(mark):
            return encoding
    # Without a byte order mark, the place of the zero byte in the first letter shows the encoding.
    if beginning[1:2] == b"\0" != beginning[:1]:
        return "UTF-16LE"
    return "UTF-16BE" if beginning[:1] == b"\0" and beginning[1:2] not in {b"", b"\0"} else None
