"""Reports of refused lines: the first of them on the terminal, all of them in a file."""

from collections.abc import Callable
from typing import TextIO

from triples.visible import visible

SHOWN = 20


class Refusals:
    def __init__(self, show: Callable[[str], None], file: TextIO | None) -> None:
        self._show = show
        self._file = file
        self._count = 0
        self.first: list[str] = []

    def report(self, name: str, line: int, reason: str) -> None:
        self.tell(visible(f"{name}:{line}: {reason}"))

    def tell(self, sentence: str) -> None:
        """Report what stands in no line, in a sentence that can be shown."""
        self._count += 1
        if self._file is not None:
            self._file.write(sentence + "\n")
        if self._count <= SHOWN:
            self.first.append(sentence)
            self._show(sentence)
        elif self._count == SHOWN + 1:
            self._show("Further refused lines are only counted here; --errors FILE has them all.")
