"""Ids of terms, remembered in the process by their texts."""

from sys import getsizeof

GENERATION_SIZE = 10_000
# As much as that many short texts take. Long ones would take thirty times as much.
GENERATION_BYTES = 2 * 1024 * 1024


class TermCache:
    """Remembers the ids of the texts used last, in two generations: a full young one replaces the old.

    One is full when it has so many texts, or texts of so many bytes.
    """

    def __init__(self, generation_size: int = GENERATION_SIZE, generation_bytes: int = GENERATION_BYTES) -> None:
        self._size, self._most_bytes = generation_size, generation_bytes
        self._young: dict[str, int] = {}
        self._young_bytes = 0
        self._old: dict[str, int] = {}

    def get(self, text: str) -> int | None:
        found = self._young.get(text)
        if found is None:
            found = self._old.get(text)
            if found is not None:
                self._young[text] = found
                self._young_bytes += getsizeof(text)
        return found

    def update(self, ids: dict[str, int]) -> None:
        self._young.update(ids)
        # A text that was there already counts twice, which only ends the generation earlier.
        self._young_bytes += sum(map(getsizeof, ids))
        if len(self._young) > self._size or self._young_bytes > self._most_bytes:
            self._old, self._young = self._young, {}
            self._young_bytes = 0

    def clear(self) -> None:
        self._young, self._old = {}, {}
        self._young_bytes = 0
