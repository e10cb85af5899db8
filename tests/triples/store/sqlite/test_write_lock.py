"""Whether somebody waits for the write lock, and what a bulk load makes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep

import pytest
from django.db import connection

from skg_site.host.write_lock import write_lock
from tests.triples.store.graphs import counted, fact, store, stored_rows, tallied
from triples.store import bulk
from triples.store.bulk import Loaded, Loader
from triples.store.sqlite import bulk as sqlite_bulk
from triples.store.sqlite import initial_load
from triples.store.sqlite import write_lock as waiting
from triples.store.sqlite.write_lock import others_wait

pytestmark = pytest.mark.usefixtures("database")

FACTS = [fact(f"s{number % 30:02}", "p", f"o{number}", weight=number / 100) for number in range(100)]


def take_the_lock() -> None:
    with write_lock():
        pass


def test_who_waits_for_the_lock_is_seen() -> None:
    with write_lock():
        assert not others_wait()
        thread = Thread(target=take_the_lock)
        thread.start()
        give_up = monotonic() + 30
        while not others_wait():
            assert monotonic() < give_up
            sleep(0.001)
    thread.join()
    with write_lock():
        assert not others_wait()


@pytest.mark.parametrize("table", [None, "", "1: FLOCK  ADVISORY  WRITE 7 fe:00:1 0 EOF\n"])
def test_where_the_kernel_does_not_tell_somebody_may_wait(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, table: str | None
) -> None:
    file = tmp_path_factory.mktemp("proc") / "locks"
    if table is not None:
        file.write_text(table)
    monkeypatch.setattr(waiting, "_LOCKS", file)
    with write_lock():
        assert others_wait()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows with each turn to write that is taken."""
    taken: list[None] = []

    @contextmanager
    def counted_lock() -> Iterator[None]:
        taken.append(None)
        with write_lock():
            yield

    monkeypatch.setattr(bulk, "write_lock", counted_lock)
    return taken


def schema() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        found = cursor.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    return list(found)


def pragmas() -> list[object]:
    names = ("foreign_keys", "ignore_check_constraints", "cache_size", "temp_store", "threads")
    with connection.cursor() as cursor:
        return [cursor.execute(f"PRAGMA {name}").fetchone() for name in names]


def test_while_nobody_waits_slices_share_a_commit(turns: list[None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "FIRST_SLICE", 10)
    monkeypatch.setattr(bulk, "LARGEST_SLICE", 10)
    before = pragmas()
    assert Loader().load(FACTS) == Loaded(100, 0, 0)
    assert len(turns) == 1
    assert tallied() == counted() == (100, 30)
    assert pragmas() == before


def test_who_waits_gets_the_next_turn(turns: list[None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "FIRST_SLICE", 10)
    monkeypatch.setattr(bulk, "LARGEST_SLICE", 10)
    monkeypatch.setattr(sqlite_bulk, "others_wait", lambda: True)
    assert Loader().load(FACTS) == Loaded(100, 0, 0)
    assert len(turns) == 10
    assert tallied() == counted() == (100, 30)


def test_chunks_grow_while_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction may take a fifth of the time since somebody waited: between one second and ten."""
    store(FACTS[0])
    seconds = [0.0]
    monkeypatch.setattr(bulk, "monotonic", lambda: seconds[0])
    loader = Loader()
    loader.slice_size = 300

    def chunk_size_after(quiet: float) -> int:
        seconds[0] = quiet
        return loader.chunk_size

    assert list(map(chunk_size_after, (0, 5, 10, 27.5, 50, 1_000))) == [3_000, 3_000, 6_000, 16_500, 30_000, 30_000]
    loader.slice_size = 10_000
    assert loader.chunk_size == bulk.LARGEST_CHUNK
    monkeypatch.setattr(bulk, "monotonic", monotonic)
    monkeypatch.setattr(sqlite_bulk, "others_wait", lambda: True)
    loader.load(FACTS)
    assert loader.chunk_size == 10 * loader.slice_size


@pytest.mark.parametrize(("quiet", "cache"), [(0, -64_000), (60, -262_144)])
def test_after_a_quiet_time_what_a_chunk_changes_has_room_until_its_commit(
    monkeypatch: pytest.MonkeyPatch, quiet: float, cache: int
) -> None:
    """While others wait now and then, less is left to write then."""
    store(FACTS[0])
    caches = set()
    monkeypatch.setattr(sqlite_bulk, "others_wait", lambda: caches.add(pragmas()[2]))
    before = pragmas()
    monkeypatch.setattr(bulk, "monotonic", lambda: monotonic() - quiet)
    loader = Loader()
    monkeypatch.setattr(bulk, "monotonic", monotonic)
    loader.load(FACTS)
    assert caches == {(cache,)}
    assert pragmas() == before


class TestInitialLoad:
    """The first facts of a graph."""

    @pytest.fixture(autouse=True)
    def _few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(initial_load, "FEWEST_FACTS", 50)
        monkeypatch.setattr(initial_load, "_FACTS_AT_ONCE", 40)

    @pytest.mark.parametrize("replace", [False, True])
    def test_they_are_committed_together_and_leave_the_table_as_it_was(self, turns: list[None], replace: bool) -> None:
        before = schema(), pragmas()
        loader = Loader(replace=replace)
        assert loader.chunk_size == initial_load.MOST_FACTS
        chunk = [*FACTS, FACTS[0]._replace(weight=0.75, metadata='{"n":1}')]
        assert loader.load(chunk) == Loaded(100, 0, 1)
        assert len(turns) == 1
        rows = stored_rows()
        first = rows.pop(FACTS[0][:3])
        assert (first.weight, first.metadata) == ((0.75, '{"n":1}') if replace else (0.0, None))
        assert {key: row.weight for key, row in rows.items()} == {one[:3]: one.weight for one in FACTS[1:]}
        assert tallied() == counted() == (100, 30)
        assert (schema(), pragmas()) == before
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert cursor.execute("PRAGMA foreign_key_check").fetchall() == []
        assert loader.chunk_size < initial_load.MOST_FACTS

    @pytest.mark.parametrize("patience", [0, 1, 2, 5, 11])
    def test_they_give_way_at_any_time_and_are_stored_in_slices(
        self, turns: list[None], monkeypatch: pytest.MonkeyPatch, patience: int
    ) -> None:
        answers = iter([False] * patience + [True])
        monkeypatch.setattr(sqlite_bulk, "others_wait", lambda: next(answers, False))
        before = schema(), pragmas()
        assert Loader().load(FACTS) == Loaded(100, 0, 0)
        # Behind the terms, the order, three pieces and six indexes: after eleven looks it is done.
        assert len(turns) == (1 if patience == 11 else 2)
        assert tallied() == counted() == (100, 30)
        assert (schema(), pragmas()) == before

    def test_when_others_were_first_they_are_not_the_first(
        self, turns: list[None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite_bulk, "initial_load", lambda _facts: initial_load)
        store(FACTS[0]._replace(weight=0.5))
        assert Loader().load(FACTS) == Loaded(99, 0, 1)
        assert len(turns) == 2
        assert stored_rows()[FACTS[0][:3]].weight == 0.5
        assert tallied() == counted() == (100, 30)
