"""The trigrams of terms on PostgreSQL: a GIN index over arrays of their hashes, in a table beside the terms.

The extension pg_trgm would be as quick and need half of the space, which is up to 240 bytes a term. But it sees letters
and digits only, so that no emoji is found and nothing by its punctuation; what a letter is depends on the server's
locale; and not everybody may install it. An index over an expression that takes the folded text apart would need as
little, and twice the time for each term.

Terms are indexed in the transaction that makes them: a writer cannot tell which smaller ids other writers are going to
commit, so there is nothing like SQLite's "indexed up to". GIN collects new entries in a list that is searched one by
one, so that list is kept short.
"""

from array import array
from collections.abc import Collection, Sequence
from itertools import accumulate
from struct import unpack_from
from zlib import crc32

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from triples.folding import GRAM, indexed_form, trigrams
from triples.store.postgresql.arrays import Integers, integers, numbers
from triples.store.postgresql.arrays import texts as literal
from triples.store.postgresql.dialect import POSTGRESQL
from triples.store.postgresql.round_trips import Statement
from triples.store.postgresql.term_blocks import (
    EACH_TERM_WITH,
    FORGET,
    HAS_TERM,
    INDEX,
    ITS_TRIGRAMS,
    TERM_ID,
    insert_blocks,
)
from triples.store.sessions import Fetch
from triples.store.term_index import BEGINNING, Found, Progress, looked_at

_FILLED_AT_ONCE = 10_000
# Most trigrams of a language are among so many, and a hash takes five times as long as finding it.
_REMEMBERED = 16_384
# One that takes the same space for each character.
_ENCODING = "utf-32-le"
_CHARACTER_BYTES = 4
_GRAM_BYTES = GRAM * _CHARACTER_BYTES

_INSERT_TERMS = (
    "WITH given AS (SELECT text, first, last FROM unnest(%s::text[], %s::integer[], %s::integer[])"
    " AS g (text, first, last)),"
    " made AS (INSERT INTO triples_term (text) SELECT text FROM given{} RETURNING text, id),"
    f" indexed AS (INSERT INTO {INDEX} (term_id, trigrams)"
    " SELECT made.id, (%s::integer[])[given.first:given.last] FROM made JOIN given ON given.text = made.text)"
    " SELECT text, id FROM made"
)
INSERT_TERMS = _INSERT_TERMS.format("")
INSERT_TERMS_OR_PASS = _INSERT_TERMS.format(f" ON CONFLICT (({POSTGRESQL.term_key})) DO NOTHING")
_INSERT_NUMBERED = "INSERT INTO triples_term (id, text) SELECT * FROM unnest(%s::bigint[], %s::text[])"
_ADD = (
    f"INSERT INTO {INDEX} (term_id, trigrams) SELECT id, trigrams::integer[]"
    " FROM unnest(%s::bigint[], %s::text[]) AS g (id, trigrams) ON CONFLICT DO NOTHING"
)
_NOT_INDEXED = (
    f"SELECT id, {BEGINNING} FROM triples_term AS t WHERE id > %s"
    f" AND NOT EXISTS (SELECT 1 FROM {INDEX} AS b WHERE {HAS_TERM.format('t.id')}) ORDER BY id LIMIT %s"
)
_LAST_ID = "SELECT max(id) FROM triples_term"
_SAMPLE = (
    "SELECT t.text FROM generate_series(1, %s::bigint, %s::bigint) AS point, LATERAL"
    f" (SELECT {BEGINNING} AS text FROM triples_term WHERE id >= point ORDER BY id LIMIT 1) AS t"
)


def hashes(texts: Collection[str]) -> list[str]:
    """The trigrams of each text as the literal of an array."""
    return [_array(trigrams(indexed_form(text))) for text in texts]


def parts_of_hashes(texts: Collection[str]) -> tuple[Integers, Integers, Integers]:
    """The first and the last place of each text's trigrams in one array for all, and this array.

    That is a third of the work of an array for each text. Between two texts stand trigrams of neither, and one that a
    text has twice stands there twice, which the index does not mind.
    """
    forms = list(map(indexed_form, texts))
    # Each form has three characters at least.
    behind = list(accumulate(map(len, forms), initial=1))
    last = array("i", [place - GRAM for place in behind[1:]])
    return integers(array("i", behind[:-1])), integers(last), integers(_hashes_of_all("".join(forms)))


def numbered_terms(texts: Sequence[str], ids: Sequence[int]) -> list[Statement]:
    """The statements that make terms whose ids, in rising order, are known before."""
    forms = list(map(indexed_form, texts))
    # Those that stand between two texts are counted as the later one's.
    ends = [place - GRAM + 1 for place in accumulate(map(len, forms))]
    indexed = insert_blocks(ids, ends, _hashes_of_all("".join(forms)))
    return [(_INSERT_NUMBERED, (numbers(ids), literal(texts))), indexed]


def _hashes_of_all(text: str) -> "array[int]":
    """The hash of the trigram at each character but the last two."""
    written = text.encode(_ENCODING)
    hashed = array("i", bytes(4 * (len(text) - GRAM + 1)))
    # Those that begin at every third character are cut apart by one call.
    for start in range(GRAM):
        number = (len(text) - start) // GRAM
        grams = unpack_from(f"{_GRAM_BYTES}s" * number, written, start * _CHARACTER_BYTES)
        # An array takes longer to be made of anything but a list.
        hashed[start::GRAM] = array("i", list(map(_hashed_bytes, grams)))
    return hashed


def _array(grams: Collection[str]) -> str:
    return numbers(map(_hashed, grams))


class _Hashes(dict[str, int]):
    """The hashes of trigrams. To look one up takes half the time of the call of a cached function."""

    def __missing__(self, gram: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        # PostgreSQL's integers have a sign.
        self[gram] = hashed = crc32(gram.encode()) - (1 << 31)
        return hashed


class _HashesOfBytes(dict[bytes, int]):
    """The same of trigrams in which each character has four bytes."""

    def __missing__(self, gram: bytes) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[gram] = hashed = _hashed(gram.decode(_ENCODING))
        return hashed


_hashed = _Hashes().__getitem__
_hashed_bytes = _HashesOfBytes().__getitem__


class PostgreSQLTermIndex:
    def candidates(self, fetch: Fetch, grams: Collection[str], where: str, limit: int, /) -> list[Found]:
        # The hashes stand in the statement, as numbers: a plan that is made for any would scan the table.
        first, *others = map(_hashed, grams)
        wanted = f"'{numbers([first, *others])}'::integer[]"
        with_all = f" AND {ITS_TRIGRAMS} @> {wanted}" if others else ""
        statement = (
            f"SELECT t.id, {BEGINNING} FROM (SELECT {TERM_ID} AS id FROM {INDEX} AS b"
            f" CROSS JOIN LATERAL {EACH_TERM_WITH.format(first)} WHERE b.trigrams @> {wanted}{with_all} LIMIT %s) AS c"
            f" JOIN triples_term AS t ON t.id = c.id WHERE {where} LIMIT %s"
        )
        return [(id_, text) for id_, text in fetch(statement, (looked_at(where, limit), limit))]

    def beginning(self, _fetch: Fetch, _text: str, _where: str, _limit: int, /) -> list[Found]:
        """None: the index of texts has no order that begins with them."""
        return []

    def unindexed(self, _fetch: Fetch, _where: str, /) -> list[Found]:
        """None."""
        return []

    def newest(self, _fetch: Fetch, _since: int, /) -> tuple[int, list[Found]]:
        """None."""
        return 0, []

    def sample(self, fetch: Fetch, size: int, /) -> list[str]:
        [(last,)] = fetch(_LAST_ID, ())
        return [text for (text,) in fetch(_SAMPLE, (last or 0, max(1, (last or 0) // size)))]

    def forget(self, cursor: CursorWrapper, terms: Sequence[Found], /) -> None:
        cursor.execute(FORGET, [[id_ for id_, _ in terms]])

    def fill(self, progress: Progress, /) -> None:
        done = reached = 0
        while True:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_NOT_INDEXED, [reached, _FILLED_AT_ONCE])
                terms = cursor.fetchall()
                if not terms:
                    return
                ids, texts = zip(*terms, strict=True)
                cursor.execute(_ADD, [list(ids), hashes(texts)])
            reached = ids[-1]
            done += len(ids)
            progress(done)
