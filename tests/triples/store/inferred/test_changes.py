"""What a run is told of writes: the journal, the marks up to which a snapshot is whole, what changed since then."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from tests.support.database import in_orm
from tests.triples.store.graphs import committed, fact, store, stored_rows
from tests.triples.store.inferred.derivations import note_a_run
from triples.models import Change as Journal
from triples.models import Term, Triple
from triples.recursion.incremental import Changes
from triples.recursion.programs import Key
from triples.store.backend import backend
from triples.store.bulk import Loader
from triples.store.group_commit import write_now
from triples.store.inferred import journal
from triples.store.inferred.journal import prune
from triples.store.inferred.run_snapshots import Marks
from triples.store.operations import AddOne, Change, Operation, Remove
from triples.store.postgresql.connections import connect
from triples.store.term_lookup import ensure_terms, find_term_ids

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

FIRST, SECOND = ("a", "p", "x"), ("b", "p", "x")


@pytest.fixture
def _facts() -> None:
    store(fact(*FIRST, 0.5), fact(*SECOND, 0.7))


@pytest.fixture
def _after_a_run(_facts: None) -> None:
    note_a_run()


def journalled() -> list[tuple[str, ...]]:
    texts = dict(Term.objects.values_list("id", "text"))
    keys = Journal.objects.order_by("id").values_list("subject_id", "predicate_id", "object_id")
    return [tuple(texts[id_] for id_ in key) for key in keys]


def change(key: tuple[str, str, str], **columns: Any) -> Change:
    row = stored_rows()[key]
    return Change(row.id, row.created_ms, **columns)


def remove(key: tuple[str, str, str]) -> Remove:
    row = stored_rows()[key]
    return Remove(row.id, row.created_ms)


@pytest.mark.usefixtures("_facts")
def test_nothing_is_journalled_before_the_first_run() -> None:
    write_now([remove(FIRST), change(SECOND, weight=0.1)])
    Loader(replace=True).load([fact(*SECOND, 0.2)])
    assert journalled() == []


@pytest.mark.usefixtures("_after_a_run")
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda: remove(FIRST), [FIRST]),
        (lambda: change(FIRST, weight=0.6), [FIRST]),
        (lambda: change(FIRST, weight=0.6, metadata="{}"), [FIRST]),
        (lambda: AddOne(fact(*FIRST, 0.9), replace=True), [FIRST]),
        (lambda: change(FIRST, weight=0.5), []),
        (lambda: change(FIRST, metadata='{"n": 1}'), []),
        (lambda: AddOne(fact(*FIRST, 0.5, '{"n": 1}'), replace=True), []),
        (lambda: AddOne(fact(*FIRST, 0.9)), []),
        (lambda: AddOne(fact("new", "p", "x")), []),
        # It would make an inferred fact false.
        (lambda: AddOne(fact("new", "p", "x", 0.0)), [("new", "p", "x")]),
    ],
)
def test_deletions_and_other_weights_are_journalled_and_nothing_else(
    operation: Callable[[], Operation], expected: list[tuple[str, ...]]
) -> None:
    write_now([operation()])
    assert journalled() == expected


@pytest.mark.usefixtures("_after_a_run")
def test_an_import_that_replaces_journals_the_other_weights() -> None:
    Loader(replace=True).load([fact(*FIRST, 0.5, '{"n": 1}'), fact(*SECOND, 0.1), fact("new")])
    assert journalled() == [SECOND]


@pytest.mark.usefixtures("_after_a_run")
@pytest.mark.parametrize("replace", [True, False])
def test_an_import_journals_facts_of_weight_0(replace: bool) -> None:
    Loader(replace=replace).load([fact("new", "p", "x", 0.0), fact("new", "p", "y")])
    assert journalled() == [("new", "p", "x")]


@pytest.mark.usefixtures("_after_a_run")
def test_what_is_rolled_back_is_not_journalled() -> None:
    with transaction.atomic():
        write_now([remove(FIRST)])
        assert journalled() == [FIRST]
        transaction.set_rollback(True)
    assert journalled() == []


@pytest.mark.usefixtures("_after_a_run")
def test_a_group_journals_each_of_its_facts_once() -> None:
    committed([change(FIRST, weight=0.1), change(FIRST, weight=0.2), remove(FIRST), change(SECOND, weight=0.3)])
    assert sorted(journalled()) == [FIRST, SECOND]


@pytest.mark.usefixtures("_after_a_run")
def test_the_journal_is_pruned_in_parts_up_to_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_PRUNE", journal._PRUNE.replace(f"LIMIT {journal.ROWS_AT_ONCE}", "LIMIT 2"))
    monkeypatch.setattr(journal, "ROWS_AT_ONCE", 2)
    for number in range(6):
        write_now([change(FIRST, weight=number / 10)])
    ids = list(Journal.objects.order_by("id").values_list("id", flat=True))
    prune(ids[4])
    assert list(Journal.objects.values_list("id", flat=True)) == ids[5:]
    prune(ids[5])
    assert journalled() == []


def changes_since(marks: Marks, limit: int = 100) -> Changes | None:
    with backend().snapshot() as view:
        return view.changes(marks, limit)


def marks_now() -> Marks:
    with backend().snapshot() as view:
        return view.marks


def key_of(texts: tuple[str, str, str]) -> Key:
    ids = find_term_ids(texts)
    return Key(*(ids[text] for text in texts))


@pytest.mark.usefixtures("_after_a_run")
def test_nothing_has_changed_since_now() -> None:
    assert changes_since(marks_now()) == Changes(set())


@pytest.mark.usefixtures("_after_a_run")
def test_changes_are_what_was_inserted_deleted_and_reweighted() -> None:
    marks = marks_now()
    gone = key_of(FIRST)
    write_now([remove(FIRST), change(SECOND, weight=0.1), AddOne(fact("c"))])
    assert changes_since(marks) == Changes({gone, key_of(SECOND), key_of(("c", "p", "o"))})
    assert changes_since(marks_now()) == Changes(set())


@pytest.mark.usefixtures("_after_a_run")
def test_a_fact_that_came_and_went_is_a_change_too() -> None:
    marks = marks_now()
    store(fact("c"))
    key = key_of(("c", "p", "o"))
    write_now([remove(("c", "p", "o"))])
    assert changes_since(marks) == Changes({key})


@pytest.mark.usefixtures("_after_a_run")
def test_more_changes_than_asked_for_are_not_told() -> None:
    marks = marks_now()
    store(*(fact(f"s{number}") for number in range(4)))
    assert changes_since(marks, 3) is None
    found = changes_since(marks, 4)
    assert found is not None
    assert len(found.keys) == 4
    write_now([remove(FIRST)])
    assert changes_since(marks, 4) is None


@pytest.mark.usefixtures("_facts")
def test_a_snapshot_holds_every_fact_and_its_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triples.store.inferred.arrow_batches.ROWS_AT_ONCE", 2)
    store(*(fact(f"s{number}", "q", f"o{number}", (0.1 + 0.2) / (number + 1)) for number in range(5)))
    told: list[int] = []
    with backend().snapshot() as view:
        assert view.count() == 7
        facts = view.facts(told.append).read_all()
    expected = set(Triple.objects.values_list("subject_id", "predicate_id", "object_id", "weight"))
    assert {tuple(row.values()) for row in facts.to_pylist()} == expected
    assert told == [2, 4, 6, 7]


@pytest.mark.parametrize("names", [(), ("q",), ("p", "q"), ("p", "q", "r"), ("unknown",)], ids=" ".join)
def test_of_a_snapshot_the_facts_of_some_predicates_can_be_read(names: Sequence[str]) -> None:
    """By the index if they are few, else by the table."""
    numbers = {"p": 2, "q": 1, "r": 9}
    store(*(fact(f"s{number}", name, "o") for name, most in numbers.items() for number in range(most)))
    ids = dict(Term.objects.filter(text__in=names).values_list("text", "id"))
    wanted = [ids.get(name, 0) for name in names]
    with backend().snapshot() as view:
        assert view.count(wanted) == sum(numbers.get(name, 0) for name in names)
        found = view.facts(lambda _: None, wanted).read_all()
    expected = set(Triple.objects.filter(predicate__in=wanted).values_list("subject_id", "predicate_id", "object_id"))
    assert {(row["subject"], row["predicate"], row["object"]) for row in found.to_pylist()} == expected
    assert found.num_rows == len(expected)


def test_an_empty_graph_is_a_snapshot_too() -> None:
    with backend().snapshot() as view:
        assert view.count() == view.count([1]) == 0
        assert view.facts(lambda _: None).read_all().num_rows == 0
        assert view.marks >= (0, 0)


@pytest.mark.usefixtures("_facts")
def test_a_snapshot_does_not_see_what_is_written_while_it_is_read() -> None:
    with backend().snapshot() as view:
        in_orm(store, fact("later"))
        assert view.facts(lambda _: None).read_all().num_rows == 2
        assert view.changes(Marks(0, 0), 10) is not None
    assert changes_since(view.marks) == Changes({key_of(("later", "p", "o"))})


def test_subjects_are_those_of_the_types_and_predicates_that_are_asked_for() -> None:
    store(
        fact("cat", "is_a", "animal"),
        fact("rex", "type", "dog"),
        fact("ghost", "is_a", "animal", 0.0),
        fact("oak", "is_a", "plant"),
        fact("tom", "likes", "animal"),
        fact("tom", "type", "animal", 0.1),
        fact("tom", "is_a", "animal"),
    )
    with backend().snapshot() as view:
        found = view.subjects(["is_a", "type", "unused"], ["animal", "dog", "unknown"]).to_pylist()
        assert view.subjects(["is_a"], []).to_pylist() == []
    texts = dict(Term.objects.values_list("id", "text"))
    assert [texts[id_] for id_ in found] == sorted({"cat", "rex", "tom"}, key=lambda text: find_term_ids([text])[text])


def test_terms_are_made_where_they_are_missing() -> None:
    store(fact("a", "p", "x"))
    assert find_term_ids([]) == {}
    assert find_term_ids(["a", "new"]).keys() == {"a"}
    ids = ensure_terms(["a", "new", "newer"])
    assert ids == dict(Term.objects.filter(text__in=["a", "new", "newer"]).values_list("text", "id"))
    assert ensure_terms(["a", "new"]) == {text: ids[text] for text in ("a", "new")}
    assert find_term_ids(["new"]) == {"new": ids["new"]}


class TestManyWriters:
    """PostgreSQL, where ids do not become visible in their order."""

    @pytest.fixture(autouse=True)
    def _on_postgresql(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("one writer at a time")

    @pytest.fixture
    def slow_writer(self) -> Iterator[Any]:
        """A connection with a transaction that has taken an id and is not done yet."""
        ensure_terms(["slow", "p", "o"])
        with connect() as driver:
            driver.execute("BEGIN")
            driver.execute(
                "INSERT INTO triples_triple (subject_id, predicate_id, object_id, weight, source, created_at)"
                " VALUES (%s, %s, %s, 1, 1, 0)",
                key_of(("slow", "p", "o")),
            )
            yield driver

    def test_a_snapshot_waits_for_smaller_ids_that_are_not_committed(self, slow_writer: Any) -> None:
        store(fact("quick"))
        taken: list[set[Key]] = []

        def take() -> None:
            with backend().snapshot() as view:
                found = view.changes(Marks(0, 0), 10)
                assert found is not None
                taken.append(set(found.keys))
                marks.append(view.marks)

        marks: list[Marks] = []
        taking = threading.Thread(target=in_orm, args=(take,))
        taking.start()
        time.sleep(0.3)
        # Writers go on meanwhile.
        store(fact("quicker"))
        assert taken == []
        slow_writer.execute("COMMIT")
        taking.join()
        slow, quick, quicker = (key_of((text, "p", "o")) for text in ("slow", "quick", "quicker"))
        assert taken == [{slow, quick, quicker}]
        # Seen twice is well, not at all is not.
        assert changes_since(marks[0]) == Changes({quicker})

    def test_a_writer_that_never_ends_fails_the_snapshot(
        self, slow_writer: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("triples.store.postgresql.run_snapshots.WRITERS_PATIENCE_SECONDS", 0.1)
        with pytest.raises(OperationalError, match="does not end"), backend().snapshot():
            pass

    def test_nothing_is_missed_among_many_writers(self) -> None:
        """Each change is in some snapshot's facts, or is told of after it."""
        note_a_run()
        stop = threading.Event()

        def write(name: str) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                write_now([AddOne(fact(f"{name}{number}"))])
                if number % 3 == 0:
                    write_now([remove((f"{name}{number}", "p", "o"))])
            connection.close()

        threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        known: dict[Key, bool] = {}
        marks = Marks(0, 0)
        try:
            for _ in range(12):
                marks = _catch_up(known, marks)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        _catch_up(known, marks)
        standing = {Key(*key) for key in Triple.objects.values_list("subject_id", "predicate_id", "object_id")}
        assert {key for key, stands in known.items() if stands} == standing


def _catch_up(known: dict[Key, bool], marks: Marks) -> Marks:
    """Follow the graph by what has changed alone, as runs do."""
    with backend().snapshot() as view:
        found = view.changes(marks, 100_000)
        assert found is not None
        standing = {
            Key(*row) for row in view.driver.execute("SELECT subject_id, predicate_id, object_id FROM triples_triple")
        }
        known.update({key: key in standing for key in found.keys})
        return view.marks
