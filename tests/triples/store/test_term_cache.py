"""The term dictionary: each text once, and the ids of those used last remembered."""

from collections.abc import Collection, Sequence
from typing import cast

import pytest
from django.db import connection, transaction

from tests.support.database import in_orm
from triples.models import Term
from triples.store.group_commit import open_session
from triples.store.postgresql.session import PostgreSQLSession
from triples.store.sessions import Session
from triples.store.term_cache import TermCache
from triples.store.transaction import Terms


def test_texts_that_are_used_stay_and_others_are_forgotten() -> None:
    cache = TermCache(generation_size=2)
    cache.update({"used": 1, "unused": 2, "third": 3})
    for number in range(10, 20):
        assert cache.get("used") == 1
        cache.update({f"new {number}": number})
    assert cache.get("unused") is None
    assert cache.get("new 19") == 19


def test_long_texts_fill_a_generation_by_their_bytes() -> None:
    cache = TermCache(generation_size=1000, generation_bytes=10_000)
    for number in range(100):
        cache.update({"used": 1, f"{number}" + "\U0001f9e0" * 499: number})
    remembered = [number for number in range(100) if cache.get(f"{number}" + "\U0001f9e0" * 499) is not None]
    assert 99 in remembered
    assert len(remembered) < 15


def test_a_cleared_cache_knows_nothing() -> None:
    cache = TermCache(generation_size=1)
    for number in range(5):
        cache.update({str(number): number})
    cache.clear()
    assert [cache.get(str(number)) for number in range(5)] == [None] * 5


class Dictionary:
    """A database's terms, and how often it was asked."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        # Made by another writer between the look and the insert.
        self.meanwhile: dict[str, int] = {}
        self.asked = 0

    def find_terms(self, texts: Collection[str]) -> dict[str, int]:
        self.asked += 1
        return {text: self.ids[text] for text in texts if text in self.ids}

    def insert_terms(self, texts: Sequence[str]) -> dict[str, int]:
        assert list(texts) == sorted(set(texts))
        self.ids |= self.meanwhile
        made = {text: len(self.ids) + place for place, text in enumerate(texts, 1) if text not in self.ids}
        self.ids |= made
        return made

    def find_or_make_terms(self, texts: Collection[str]) -> tuple[dict[str, int], dict[str, int]]:
        return PostgreSQLSession.find_or_make_terms(cast("PostgreSQLSession", self), texts)


def test_what_was_learned_is_remembered_only_after_the_commit() -> None:
    dictionary, cache = Dictionary(), TermCache()
    session = cast("Session", dictionary)
    rolled_back = Terms(session, cache)
    rolled_back.ids(["b", "a", "b"])
    assert cache.get("a") is None
    committed = Terms(session, cache)
    ids = committed.ids(["a", "b"])
    committed.remember()
    assert Terms(session, cache).ids(["a", "b"]) == ids
    assert dictionary.asked == 2


def test_a_text_that_another_writer_made_meanwhile_is_found_and_is_not_ours() -> None:
    dictionary = Dictionary()
    dictionary.ids = {"old": 1}
    dictionary.meanwhile = {"theirs": 7}
    terms = Terms(cast("Session", dictionary), TermCache())
    ids = terms.ids(["theirs", "ours", "old"])
    assert ids == dictionary.ids
    assert terms.made == {ids["ours"]}


@pytest.mark.both
@pytest.mark.usefixtures("database")
def test_texts_that_differ_in_anything_are_different_terms() -> None:
    texts = ["a", "A", "á", "a ", "\u0430", "a\u200b", "ａ", "ß", "ss", "ẞ", "\ue000", "\U0010ffff"]

    def make() -> dict[str, int]:
        with transaction.atomic():
            return Terms(open_session(connection), TermCache()).ids(texts)

    first = in_orm(make)
    assert len(set(first.values())) == len(texts)
    assert in_orm(make) == first
    assert in_orm(lambda: dict(Term.objects.values_list("text", "id"))) == first
