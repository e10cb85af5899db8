"""The interface of a database for the search of terms: an index of the trigrams of all folded terms.

`triples.store.sqlite.term_index` and `triples.store.postgresql.term_index` keep it. It only picks candidates: whoever
asks compares their texts. So an entry that is left over finds nothing.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from django.db.backends.utils import CursorWrapper

from triples.folding import SEARCHED
from triples.store.sessions import Fetch

# The condition that every term meets.
ANY_TERM = "1 = 1"
# What is read of terms to be compared: no more is, and it tells whether there is more. `text` is a column of one table.
BEGINNING = f"substr(text, 1, {SEARCHED + 1})"
# A condition that few terms meet, such as "is a predicate", must not be tried on all that have a frequent trigram.
_REACH = 4

# The id of a term and its text, or the beginning of a long one.
Found = tuple[int, str]
# Told how many terms have been indexed.
Progress = Callable[[int], None]


def looked_at(where: str, limit: int) -> int:
    """The number of terms on which a condition is tried."""
    return limit if where == ANY_TERM else _REACH * limit


class TermIndex(Protocol):
    def candidates(self, fetch: Fetch, grams: Collection[str], where: str, limit: int, /) -> list[Found]:
        """The first terms, by id on SQLite, that have all of the trigrams and meet a condition on `t.id`.

        The condition is tried on a few times as many as are wanted.
        """

    def beginning(self, fetch: Fetch, text: str, where: str, limit: int, /) -> list[Found]:
        """Terms that begin just so, without folding; none if the database has no order of texts to find them by."""

    def unindexed(self, fetch: Fetch, where: str, /) -> list[Found]:
        """The newest terms, which are not in the index yet: a thousand at most."""

    def newest(self, fetch: Fetch, since: int, /) -> tuple[int, list[Found]]:
        """Those of the same that have this id or a greater one, by id, and the first id that is not in the index."""

    def sample(self, fetch: Fetch, size: int, /) -> list[str]:
        """The texts of about so many terms, evenly spaced by their ids."""

    def forget(self, cursor: CursorWrapper, terms: Sequence[Found], /) -> None:
        """Take terms out of the index, in the transaction that deletes them."""

    def fill(self, progress: Progress, /) -> None:
        """Index all terms that are not, in commits of their own."""
