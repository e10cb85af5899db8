"""Terms of up to 10,000 characters: each is one, is found, and is told from others, on both databases."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.database import in_orm
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.long_texts import HOSTILE, LONGEST
from triples.models import Term
from triples.store.bulk import Loader
from triples.store.operations import Remove
from triples.store.term_lookup import ensure_terms, find_term_ids, following, terms_beginning_with
from triples.store.unused_terms import remove_unused_terms
from triples.term_keys import POSTGRESQL_KEY, TermKey, postgresql_key
from triples.text import MAX_TERM_LENGTH

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

TEXTS = list(HOSTILE.values())


def require_refused(text: str) -> None:
    """By the database itself."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Term.objects.create(text=text)


def test_each_is_a_term_and_one_alone() -> None:
    made = in_orm(ensure_terms, TEXTS)
    assert len(set(made.values())) == len(TEXTS)
    assert in_orm(ensure_terms, TEXTS[::-1]) == made
    for text, id_ in made.items():
        assert in_orm(find_term_ids, [text]) == {text: id_}
    assert in_orm(find_term_ids, [LONGEST + "x", "k" * 502]) == {}
    assert in_orm(lambda: dict(Term.objects.values_list("text", "id"))) == made


def test_two_writers_make_one_term_of_a_text() -> None:
    in_orm(ensure_terms, [LONGEST])
    in_orm(require_refused, LONGEST)


def test_facts_with_them_are_stored_loaded_and_deleted() -> None:
    facts = [fact(text, "p" * 500, TEXTS[place - 1]) for place, text in enumerate(TEXTS)]
    in_orm(store, *facts[:5])
    assert in_orm(lambda: Loader().load(facts)) == (len(TEXTS) - 5, 0, 5)
    rows = in_orm(stored_rows)
    assert rows.keys() == {one[:3] for one in facts}
    in_orm(committed, [Remove(row.id, row.created_ms) for row in rows.values()])
    in_orm(lambda: remove_unused_terms((), lambda *_: None, dry=False))
    assert in_orm(Term.objects.count) == 0


@pytest.fixture
def on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a key of PostgreSQL")


@pytest.mark.usefixtures("on_postgresql")
@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), st.integers(0, 700))
@example("\\", 501)
@example("\\x", 300)
@example("", 0)
def test_the_database_has_the_same_keys(part: str, times: int) -> None:
    text = (part * times)[:MAX_TERM_LENGTH]

    def key() -> str:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {POSTGRESQL_KEY.format('text')} FROM (SELECT %s AS text) AS given", [text])
            return str(cursor.fetchone()[0])

    assert in_orm(key) == postgresql_key(text)


@pytest.mark.parametrize("prefix", ["k", "k" * 500, "k" * 501, LONGEST[:499], LONGEST[:501], LONGEST, TEXTS[5], "\\"])
def test_a_prefix_finds_all_that_begin_with_it(prefix: str) -> None:
    in_orm(ensure_terms, [*TEXTS, "j", "l", "k", "\\"])
    found = in_orm(lambda: set(terms_beginning_with(prefix).values_list("text", flat=True)))
    assert found == {text for text in [*TEXTS, "j", "l", "k", "\\"] if text.startswith(prefix)}


def test_terms_are_in_the_order_of_their_first_500_characters() -> None:
    in_orm(ensure_terms, TEXTS)
    ordered = in_orm(lambda: list(Term.objects.order_by(TermKey("text")).values_list("text", flat=True)))
    assert [text[:500] for text in ordered] == sorted(text[:500] for text in TEXTS)


@given(st.text(min_size=1), st.text())
@example("\ud7ff", "")
@example("\U0010ffff", "")
@example("a\U0010ffff", "z")
def test_what_follows_a_prefix_is_greater_than_all_that_begin_with_it(prefix: str, rest: str) -> None:
    end = following(prefix)
    assert end is None or prefix + rest < end
    # And nothing that does not begin with it lies between.
    assert end is None or rest < prefix or rest >= end or rest.startswith(prefix)


def test_nothing_follows_the_last_character() -> None:
    assert following("\U0010ffff" * 2) is None


@pytest.fixture
def short_terms() -> Iterator[list[str]]:
    """A database of the version before, with terms as long as it took."""
    texts = ["a", "\\" * 500, "漢" * 500]
    in_orm(ensure_terms, texts)
    in_orm(call_command, "migrate", "triples", "0007", verbosity=0)
    yield texts
    in_orm(call_command, "migrate", verbosity=0)


def test_a_migration_makes_room_and_can_be_undone(short_terms: list[str]) -> None:
    in_orm(require_refused, "x" * 501)
    in_orm(call_command, "migrate", verbosity=0)
    assert in_orm(find_term_ids, short_terms).keys() == set(short_terms)
    in_orm(ensure_terms, [LONGEST])
    in_orm(require_refused, "x" * (MAX_TERM_LENGTH + 1))
    with pytest.raises(RuntimeError, match="more than 500 characters"):
        in_orm(call_command, "migrate", "triples", "0007", verbosity=0)
    in_orm(Term.objects.filter(text=LONGEST).delete)
