"""Opaque cursors: the position of a keyset page as text that a client only passes back.

A position is packed into bytes and written in hexadecimal. So every text of the right form is some position, and
the documented pattern says exactly which cursors are accepted.
"""

import struct
from typing import Any

from pydantic import Field


class TextCursor:
    """The position of a list that is ordered by a text, which has no control characters."""

    def __init__(self, longest: int) -> None:
        """`longest`: how many characters the text has at most."""
        self._longest = longest

    @property
    def field(self) -> Any:
        """As `CursorLayout.field`."""
        # A character takes up to four bytes, and a byte two digits.
        pattern = rf"^([0-9a-f]{{2}}){{1,{4 * self._longest}}}$"
        return Field(pattern=pattern, description="`next_cursor` of the page before.")

    def encode(self, text: str) -> str:
        return text.encode().hex()

    def decode(self, cursor: str) -> str:
        """A text that can be sent to any database, whatever the digits say."""
        return bytes.fromhex(cursor).decode(errors="replace").replace("\x00", "\x01")


class CursorLayout:
    """What a list's positions consist of, as `struct` writes it: `q` an integer, `d` a float, `?` a bool."""

    def __init__(self, layout: str) -> None:
        self._packed = struct.Struct(f">{layout}")

    @property
    def field(self) -> Any:
        """What makes a model's text field take such cursors and nothing else."""
        digits = 2 * self._packed.size
        return Field(pattern=rf"^[0-9a-f]{{{digits}}}$", description="`next_cursor` of the page before.")

    def encode(self, *position: float) -> str:
        return self._packed.pack(*position).hex()

    def decode(self, cursor: str) -> tuple[Any, ...]:
        """The position in a cursor that fits `field`."""
        return self._packed.unpack(bytes.fromhex(cursor))
