"""Opaque cursors: the position of a keyset page as text, which a client passes back.

A position is packed into bytes and written in hexadecimal, so every text that fits the documented pattern is one.
"""

import struct
from typing import Any

from pydantic import Field


class TextCursor:
    """Cursors of a list that is ordered by a text without control characters."""

    def __init__(self, longest: int) -> None:
        """`longest` is the most characters that the text can have."""
        self._longest = longest

    @property
    def field(self) -> Any:
        """Like `CursorLayout.field`."""
        # A character has up to four bytes, and a byte two digits.
        pattern = rf"^([0-9a-f]{{2}}){{1,{4 * self._longest}}}$"
        return Field(pattern=pattern, description="`next_cursor` of the page before.")

    def encode(self, text: str) -> str:
        return text.encode().hex()

    def decode(self, cursor: str) -> str:
        """The text, without characters that a database does not take."""
        return bytes.fromhex(cursor).decode(errors="replace").replace("\x00", "\x01")


class CursorLayout:
    """Cursors of a list, whose positions have the layout of a `struct`: `q` an integer, `d` a float, `?` a bool."""

    def __init__(self, layout: str) -> None:
        self._packed = struct.Struct(f">{layout}")

    @property
    def field(self) -> Any:
        """The Pydantic field of a parameter that takes these cursors."""
        digits = 2 * self._packed.size
        return Field(pattern=rf"^[0-9a-f]{{{digits}}}$", description="`next_cursor` of the page before.")

    def encode(self, *position: float) -> str:
        return self._packed.pack(*position).hex()

    def decode(self, cursor: str) -> tuple[Any, ...]:
        """The position in a cursor that fits `field`."""
        return self._packed.unpack(bytes.fromhex(cursor))
