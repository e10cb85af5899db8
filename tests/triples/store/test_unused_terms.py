"""Terms are removed while a writer comes to use them."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest
from django.db import connection, transaction

from tests.support.database import in_orm
from tests.triples.store.graphs import committed, counted, fact, store, stored_rows, tallied
from triples.models import Term
from triples.store import unused_terms
from triples.store.group_commit import write_now
from triples.store.operations import AddOne, Remove
from triples.store.unused_terms import remove_unused_terms

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

TEXTS = ["s", "p", "o", "idle", "other"]


def no_progress(_done: int, _total: int) -> None:
    pass


def texts() -> set[str]:
    return set(Term.objects.values_list("text", flat=True))


@pytest.fixture
def unused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms that no fact uses; and a vacuum that must succeed the first time."""
    monkeypatch.setattr(unused_terms, "ATTEMPTS", 1)
    in_orm(store, fact("s"), fact("idle", object_="other"))
    for row in in_orm(stored_rows).values():
        in_orm(committed, [Remove(row.id, row.created_ms)])
    assert in_orm(texts) == set(TEXTS)


def vacuum() -> int:
    try:
        return remove_unused_terms([], no_progress, dry=False)
    finally:
        connection.close()


def test_a_term_that_is_being_used_is_skipped_and_the_others_go(unused: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets in one writer at a time")
    held, release = Event(), Event()

    def write() -> None:
        try:
            with transaction.atomic():
                write_now([AddOne(fact("s"))])
                # From now until the commit, the terms are locked.
                held.set()
                release.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(write)
        assert held.wait(30)
        vacuuming = threads.submit(vacuum)
        in_orm(_until_blocked_or_done, vacuuming)
        release.set()
        writing.result(30)
        assert vacuuming.result(30) == 2
    assert in_orm(texts) == {"s", "p", "o"}
    assert in_orm(stored_rows).keys() == {("s", "p", "o")}
    assert in_orm(tallied) == in_orm(counted)


def _until_blocked_or_done(vacuuming: Future[int]) -> None:
    deadline = monotonic() + 30
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with connection.cursor() as cursor:
        while not vacuuming.done() and monotonic() < deadline:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
            sleep(0.01)


def test_terms_that_nothing_uses_go(unused: None) -> None:
    assert in_orm(remove_unused_terms, [], no_progress, dry=True) == len(TEXTS)
    assert in_orm(remove_unused_terms, [], no_progress, dry=False) == len(TEXTS)
    assert in_orm(texts) == set()
