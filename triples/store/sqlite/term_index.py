"""The trigrams of terms on SQLite: a full-text index that keeps no text of its own, some 30 bytes a term.

A commit that changes the index adds a segment to it, which costs as much as a small group of writes does. So terms are
indexed a thousand at a time: each time that the ids pass a multiple of `BATCH`, in the commit that passes it. A row
says up to which id they are indexed. The terms behind it are compared one by one by those who search; nothing has to be
remembered by writers, and a transaction that is rolled back takes all of it back.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from skg_site.host.write_lock import write_lock
from triples.folding import END, SEARCHED, START, indexed_form
from triples.store.sessions import Fetch
from triples.store.term_index import BEGINNING, Found, Progress, looked_at

# A search compares half as many on average, which takes a quarter of a millisecond. To index half as many at a time
# would take a fifth longer for each.
BATCH = 1024
# What a migration indexes in one commit: writers wait for it for some tens of milliseconds.
_AT_ONCE = 10_000

INDEX, STATE = "triples_term_search", "triples_term_search_state"

_UP_TO = f"SELECT up_to FROM {STATE}"
# The last of the terms that are indexed next, and their number.
_NEXT = f"SELECT max(id), count(*) FROM (SELECT id FROM triples_term WHERE id > ({_UP_TO}) ORDER BY id LIMIT ?)"
_SPAN = f"FROM triples_term WHERE id > ({_UP_TO}) AND id <= ?"
# A short text in ASCII is folded as `indexed_form` does it, but by SQLite: with Python, it would take twice as long to
# index it. FTS5 would write a segment for each text that has a smaller id than the one before, so they are in order.
_IS_PLAIN = f"length(text) <= {SEARCHED} AND length(text) = length(CAST(text AS BLOB))"
_ADD_PLAIN = (
    f"INSERT INTO {INDEX} (rowid, folded) SELECT id, '{START}' || lower(text) || '{END}' {_SPAN} AND {_IS_PLAIN}"
    " ORDER BY id"
)
_OTHERS = f"SELECT id, {BEGINNING} {_SPAN} AND NOT ({_IS_PLAIN}) ORDER BY id"
_ADD = f"INSERT INTO {INDEX} (rowid, folded) VALUES (?, ?)"
# Without the text, SQLite has to be told what it was.
_FORGET = f"INSERT INTO {INDEX} ({INDEX}, rowid, folded) VALUES ('delete', %s, %s)"
_SET_UP_TO = f"UPDATE {STATE} SET up_to = ?"
_LAST_ID = "SELECT max(id) FROM triples_term"
_CANDIDATES = (
    f"SELECT t.id, {BEGINNING} FROM (SELECT rowid AS id FROM {INDEX} WHERE {INDEX} MATCH ? LIMIT ?) AS c"
    " CROSS JOIN triples_term AS t ON t.id = c.id WHERE "
)
_NEWEST = (
    f"SELECT up_to, NULL, NULL FROM {STATE} UNION ALL"
    f" SELECT NULL, id, {BEGINNING} FROM triples_term WHERE id >= max(({_UP_TO}) + 1, ?)"
)
# No character of a term comes behind the one that is put after the text.
_BEGINNING_SO = f"SELECT t.id, {BEGINNING} FROM triples_term AS t WHERE text >= ? AND text < ? || char(1114111) AND "
_SAMPLE = f"SELECT (SELECT {BEGINNING} FROM triples_term WHERE id >= value ORDER BY id LIMIT 1) FROM json_each(?)"
_QUOTE = '"'


def keep_up(driver: Any, first: int, last: int) -> None:
    """Index what is not, if it has become enough. In the transaction that made the terms of these ids."""
    if (first - 1) // BATCH != last // BATCH:
        index_tail(driver)


def index_tail(driver: Any, most: int = -1) -> int:
    """Index the first terms that are not, all of them or so many, and return how many there were.

    In a transaction with the write lock. An initial load makes a million terms, of which few are in memory together.
    """
    [(last, count)] = driver.execute(_NEXT, (most,)).fetchall()
    if count:
        driver.execute(_ADD_PLAIN, (last,))
        driver.executemany(_ADD, ((id_, indexed_form(text)) for id_, text in driver.execute(_OTHERS, (last,))))
        driver.execute(_SET_UP_TO, (last,))
    return int(count)


class SQLiteTermIndex:
    def candidates(self, fetch: Fetch, grams: Collection[str], where: str, limit: int, /) -> list[Found]:
        words = " AND ".join(f'"{gram.replace(_QUOTE, _QUOTE * 2)}"' for gram in grams)
        found = fetch(f"{_CANDIDATES}{where} LIMIT ?", (words, looked_at(where, limit), limit))
        return [(id_, text) for id_, text in found]

    def beginning(self, fetch: Fetch, text: str, where: str, limit: int, /) -> list[Found]:
        return [(id_, text) for id_, text in fetch(f"{_BEGINNING_SO}{where} LIMIT ?", (text, text, limit))]

    def unindexed(self, fetch: Fetch, where: str, /) -> list[Found]:
        statement = f"SELECT t.id, {BEGINNING} FROM triples_term AS t WHERE t.id > ({_UP_TO}) AND {where}"
        return [(id_, text) for id_, text in fetch(statement, ())]

    def newest(self, fetch: Fetch, since: int, /) -> tuple[int, list[Found]]:
        # Of the two bounds SQLite looks up the greater one.
        [(up_to, _, _), *terms] = fetch(_NEWEST, (since,))
        return up_to + 1, [(id_, text) for _, id_, text in terms]

    def sample(self, fetch: Fetch, size: int, /) -> list[str]:
        [(last,)] = fetch(_LAST_ID, ())
        points = range(1, (last or 0) + 1, max(1, (last or 0) // size))
        return [text for (text,) in fetch(_SAMPLE, (str(list(points)),)) if text is not None]

    def forget(self, cursor: CursorWrapper, terms: Sequence[Found], /) -> None:
        cursor.execute(_UP_TO)
        up_to = cursor.fetchone()[0]
        cursor.executemany(_FORGET, [(id_, indexed_form(text)) for id_, text in terms if id_ <= up_to])

    def fill(self, progress: Progress, /) -> None:
        done, indexed = 0, 1
        while indexed:
            with write_lock(), transaction.atomic():
                indexed = index_tail(connection.connection, _AT_ONCE)
            done += indexed
            progress(done)
