"""The term dictionary's front: ids of texts, remembered in the process."""

from collections.abc import Collection
from sys import getsizeof

from triples.store.sessions import Session

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


class Terms:
    """The ids that one transaction needs; what it learns is remembered only once it is committed."""

    def __init__(self, session: Session, cache: TermCache, *, alone: bool = False) -> None:
        """`alone` supposes that nobody else makes the same terms at this moment, and fails if somebody does."""
        self._session = session
        self._find_or_make = session.find_or_make_terms_alone if alone else session.find_or_make_terms
        self._cache = cache
        self._learned: dict[str, int] = {}
        self.made: set[int] = set()
        # What was not learned in this transaction, and may be a term no more.
        self._remembered: set[int] = set()

    def ids(self, texts: Collection[str]) -> dict[str, int]:
        """The id of each text; texts that are no terms yet become some."""
        ids: dict[str, int] = {}
        unknown: list[str] = []
        for text in texts:
            found = self._cache.get(text)
            if found is None:
                unknown.append(text)
            else:
                ids[text] = found
        self._remembered.update(ids.values())
        if unknown:
            self._learned, made = self._find_or_make(unknown)
            self.made = set(made.values())
            self._learned |= made
            ids |= self._learned
        return ids

    def check(self) -> None:
        """IntegrityError if one that was remembered is a term no more: what was made of it is not so."""
        if self._remembered:
            self._session.check_terms(self._remembered)

    def remember(self) -> None:
        """Keep what was learned, after the commit."""
        self._cache.update(self._learned)
