"""The newest terms are those that are not indexed yet, whatever was kept from the search before."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triples.folding import searched_form
from triples.query.folded_terms import NewestTerms
from triples.store.sessions import Fetch
from triples.store.sqlite.term_index import SQLiteTermIndex
from triples.store.term_index import Found


class Index(SQLiteTermIndex):
    """An index over terms in memory."""

    def __init__(self) -> None:
        self.terms: dict[int, str] = {}
        self.up_to = 0
        self.read = 0

    def newest(self, _fetch: Fetch, since: int, /) -> tuple[int, list[Found]]:
        found = [(id_, text) for id_, text in sorted(self.terms.items()) if id_ > self.up_to and id_ >= since]
        self.read += len(found)
        return self.up_to + 1, found


def no_rows(_sql: str, _parameters: object) -> list[tuple[object, ...]]:
    raise AssertionError


STEPS = st.lists(st.sampled_from(["add", "index", "delete last", "replace", "keep", "read", "read older"]), max_size=30)


@given(STEPS)
@example(["add", "add", "add", "keep", "index", "read", "read older"])
def test_they_are_what_the_index_has_not(steps: list[str]) -> None:
    index = Index()
    newest, next_id = NewestTerms(index), 1
    older: tuple[dict[int, str], int] = {}, 0
    for step in [*steps, "read"]:
        waiting = [id_ for id_ in index.terms if id_ > index.up_to]
        if step == "add":
            index.terms[next_id] = f"Term {next_id}"
            next_id += 1
        elif step == "index" and waiting:
            index.up_to = waiting[len(waiting) // 2]
        elif step == "delete last" and waiting:
            del index.terms[waiting[-1]]
        elif step == "replace":
            index.terms = {id_: f"Other {next_id} {text}" for id_, text in index.terms.items()}
        elif step == "keep":
            older = dict(index.terms), index.up_to
        elif step == "read":
            check(newest, index)
        elif step == "read older":
            # As a read does that began before others.
            now = index.terms, index.up_to
            index.terms, index.up_to = older
            check(newest, index)
            index.terms, index.up_to = now


def check(newest: NewestTerms, index: Index) -> None:
    read = newest.read(no_rows)
    found = dict(zip(read.ids, read.texts, strict=True))
    assert found == {id_: text for id_, text in index.terms.items() if id_ > index.up_to}
    assert read.folded == [searched_form(text) for text in read.texts]


@pytest.mark.parametrize("added", [0, 1, 5])
def test_only_what_is_new_is_read_again(added: int) -> None:
    index = Index()
    index.terms = {id_: str(id_) for id_ in range(1, 101)}
    newest = NewestTerms(index)
    newest.read(no_rows)
    index.terms.update((id_, str(id_)) for id_ in range(101, 101 + added))
    index.read = 0
    assert len(newest.read(no_rows).ids) == 100 + added
    # And the last one of those before, by which a database is known again.
    assert index.read == added + 1
