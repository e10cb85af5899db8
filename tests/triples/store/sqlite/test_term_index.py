"""What SQLite's index of terms has of a text is what Python makes of it, whichever of the two folds it."""

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.database import in_orm
from triples.folding import SEARCHED, indexed_form, trigrams
from triples.models import Term
from triples.store.sqlite.term_index import INDEX, index_tail

pytestmark = pytest.mark.usefixtures("database")

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
PLAIN_TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)


def indexed(texts: list[str]) -> set[tuple[str, str]]:
    """The trigrams in the index once these are new terms, each with its text."""
    with transaction.atomic():
        terms = {term.pk: term.text for term in Term.objects.bulk_create(Term(text=text) for text in texts)}
        assert index_tail(connection.connection) == len(texts)
        assert index_tail(connection.connection) == 0
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE VIRTUAL TABLE temp.entries USING fts5vocab(main, {INDEX}, 'instance')")
            cursor.execute("SELECT term, doc FROM temp.entries")
            found = {(gram, terms[id_]) for gram, id_ in cursor.fetchall() if id_ in terms}
            cursor.execute("DROP TABLE temp.entries")
        transaction.set_rollback(True)
    return found


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS | PLAIN_TEXTS, min_size=1, unique=True))
@example(["A" * SEARCHED, "b" * (SEARCHED + 1), "\u00d6" * (SEARCHED + 1), "'", '"', "\u0130", "\x7f", "Z", "\u212a"])
def test_each_text_has_the_trigrams_of_its_folded_form(texts: list[str]) -> None:
    assert in_orm(indexed, texts) == {(gram, text) for text in texts for gram in trigrams(indexed_form(text))}


def first_of_them() -> list[int]:
    with transaction.atomic():
        Term.objects.bulk_create(Term(text=f"{place} \u00d6") for place in range(5))
        counts = [index_tail(connection.connection, 2) for _ in range(4)]
        transaction.set_rollback(True)
    return counts


def test_so_many_are_indexed_as_are_wanted() -> None:
    assert in_orm(first_of_them) == [2, 2, 1, 0]
