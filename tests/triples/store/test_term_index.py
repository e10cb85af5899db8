"""The index of terms holds every term that was committed, and no other finds anything by it."""

from collections.abc import Iterator
from importlib import import_module
from struct import unpack_from

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm
from tests.triples.store.graphs import committed, fact, load_first, store, stored_rows
from triples.folding import indexed_form, trigrams
from triples.models import Source, Term
from triples.store import unused_terms
from triples.store.backend import backend
from triples.store.bulk import Loader
from triples.store.group_commit import open_session, write_now
from triples.store.operations import AddMany, AddOne, Fact, Remove
from triples.store.postgresql.arrays import Integers
from triples.store.postgresql.term_index import hashes, parts_of_hashes
from triples.store.sqlite import initial_load, term_index
from triples.store.term_index import ANY_TERM
from triples.store.term_lookup import ensure_terms

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

# So that hundreds of terms are indexed in several batches: each of them is searched for.
BATCH = 128


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(term_index, "BATCH", BATCH)


def by_index(text: str) -> list[int]:
    """The ids that the index has for all trigrams of a text, whether or not it is a term any more."""
    fetch = open_session(connection).rows
    return [id_ for id_, _ in backend().term_index.candidates(fetch, trigrams(indexed_form(text)), ANY_TERM, 10)]


def require_complete() -> int:
    """How many of the terms are in the index; AssertionError unless all others are told to be newer."""
    terms = {term.pk: term.text for term in Term.objects.all()}
    newer = dict(backend().term_index.unindexed(open_session(connection).rows, ANY_TERM))
    assert len(newer) < BATCH
    indexed = {id_ for id_, text in terms.items() if id_ in by_index(text)}
    assert indexed.isdisjoint(newer)
    assert indexed | newer.keys() == terms.keys()
    return len(indexed)


def facts(number: int, of: str = "s") -> list[Fact]:
    return [Fact(f"{of}{place}", "p", f"Ö{of}{place}", 1.0, None, Source.IMPORT) for place in range(number)]


def add(*given: Fact) -> None:
    in_orm(lambda: write_now([AddOne(one) for one in given]))


def test_small_groups_are_indexed_together() -> None:
    for place in range(0, BATCH, 64):
        add(*facts(64, of=f"{place}-"))
        in_orm(require_complete)
    assert in_orm(require_complete) >= BATCH


def test_a_batch_larger_than_is_indexed_at_once() -> None:
    in_orm(store, *facts(3 * BATCH))
    assert in_orm(require_complete) >= 5 * BATCH


def test_terms_of_rules_are_found_too() -> None:
    in_orm(ensure_terms, [f"term {number}" for number in range(BATCH + 10)])
    assert in_orm(require_complete) >= 10


@pytest.mark.parametrize("fewest", [initial_load.FEWEST_FACTS, 500], ids=["row by row", "first facts"])
def test_an_import_is_indexed(fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    load_first(monkeypatch, fewest)
    in_orm(lambda: Loader().load(facts(700)))
    assert in_orm(require_complete) > 1_200


def roll_back() -> None:
    with transaction.atomic():
        write_now([AddMany(facts(BATCH, of="lost"))])
        assert by_index("lost7")
        transaction.set_rollback(True)


def test_what_is_rolled_back_leaves_nothing() -> None:
    in_orm(roll_back)
    assert in_orm(by_index, "lost7") == []
    assert in_orm(require_complete) == 0
    in_orm(store, *facts(BATCH))
    in_orm(require_complete)


def vacuum() -> int:
    return unused_terms.remove_unused_terms([], lambda _done, _total: None, dry=False)


def test_a_vacuum_takes_its_terms_out() -> None:
    in_orm(store, *facts(2 * BATCH), fact("other"))
    rows = in_orm(stored_rows)
    removed = [row for key, row in rows.items() if key[0].endswith("7")]
    in_orm(committed, [Remove(row.id, row.created_ms) for row in removed])
    before = in_orm(by_index, "s97")
    assert len(before) == 1
    assert in_orm(vacuum) == 2 * len(removed)
    assert in_orm(_entries, "s97") == []
    assert len(in_orm(_entries, "s98")) == 1
    in_orm(require_complete)
    # Those that come again have another id.
    in_orm(store, *facts(2 * BATCH))
    in_orm(store, *facts(2 * BATCH, of="t"))
    [now] = in_orm(by_index, "s97")
    assert now > before[0]
    in_orm(require_complete)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1))
@example(["a" * 600, "\U0001f600", "\u65e5\u672c", "\u0130x"])
def test_the_trigrams_of_many_texts_are_those_of_each(texts: list[str]) -> None:
    firsts, lasts, together = map(_unpacked, parts_of_hashes(texts))
    found = [set(together[first - 1 : last]) for first, last in zip(firsts, lasts, strict=True)]
    assert found == [{int(number) for number in literal.strip("{}").split(",")} for literal in hashes(texts)]


def _unpacked(sent: Integers) -> list[int]:
    """The elements of an array in PostgreSQL's binary format."""
    _, _, _, number, _ = unpack_from(">5i", sent)
    return list(unpack_from(f">{2 * number}i", sent, 20)[1::2])


def _entries(text: str) -> list[int]:
    """Like `by_index`, and also of terms that are gone."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            words = " AND ".join(f'"{gram}"' for gram in trigrams(indexed_form(text)))
            cursor.execute("SELECT rowid FROM triples_term_search WHERE triples_term_search MATCH %s", [words])
        else:
            [grams] = hashes([text])
            cursor.execute("SELECT term_id FROM triples_term_search WHERE trigrams @> %s::integer[]", [grams])
        return [id_ for (id_,) in cursor.fetchall()]


def empty_index() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("INSERT INTO triples_term_search (triples_term_search) VALUES ('delete-all')")
            cursor.execute("UPDATE triples_term_search_state SET up_to = 0")
        else:
            cursor.execute("DELETE FROM triples_term_search")


@pytest.fixture
def before_the_index() -> Iterator[None]:
    """A database with terms, of a version that had no index of them."""
    in_orm(store, *facts(400))
    in_orm(call_command, "migrate", "triples", "0004", verbosity=0)
    yield
    in_orm(call_command, "migrate", verbosity=0)


def test_a_migration_indexes_what_is_there_and_says_so(
    before_the_index: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(import_module("triples.migrations.0006_term_search"), "WORTH_SAYING", 500)
    in_orm(call_command, "migrate", verbosity=0)
    assert capsys.readouterr().err == "801 terms are being indexed, so that they can be searched …\n"
    assert in_orm(require_complete) == 801
    in_orm(store, *facts(BATCH, of="new"))
    in_orm(require_complete)


def test_an_index_is_filled_from_the_terms_that_are_there() -> None:
    in_orm(store, *facts(400))
    in_orm(empty_index)
    told: list[int] = []
    in_orm(lambda: backend().term_index.fill(told.append))
    assert told[-1] == 801
    assert in_orm(require_complete) == 801
    told.clear()
    in_orm(lambda: backend().term_index.fill(told.append))
    assert sum(told) == 0
    assert in_orm(require_complete) == 801
