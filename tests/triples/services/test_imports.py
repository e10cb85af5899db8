"""An import whose process is gone is closed by whoever looks at it; one at which a process works is left alone."""

from contextlib import ExitStack
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.service.wire import eventually
from triples.files.responses import import_content
from triples.import_runs import ImportRun, ImportStatus
from triples.services import imports
from triples.services.imports import (
    START_PATIENCE,
    import_begin,
    import_continue,
    import_working,
    imports_close_dead,
)
from triples.store.backend import backend

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def begun(beginning: str = "0:", *, age: float = 1.01, **columns: Any) -> ImportRun:
    """An import that last stored something so many times the patience ago."""
    run = import_begin(source="x", format_name="tsv", requested_by="tests", options={}, beginning=beginning)
    ImportRun.objects.filter(id=run.id).update(touched_at=timezone.now() - age * START_PATIENCE, **columns)
    return ImportRun.objects.get(id=run.id)


def looked_at(run: ImportRun) -> ImportRun:
    imports_close_dead(runs=[run])
    stored = ImportRun.objects.get(id=run.id)
    assert (stored.status, stored.error) == (run.status, run.error)
    return stored


def test_a_dead_import_is_broken_and_says_what_to_do() -> None:
    sent, other = looked_at(begun()), looked_at(begun(""))
    assert sent.status == other.status == ImportStatus.BROKEN
    assert sent.finished_at is not None
    assert "with `resume`" in sent.error
    assert "Import the same again" in other.error
    assert import_content(sent)["resume"] == import_content(sent)["import_id"]
    assert import_content(other)["resume"] is None


def test_an_import_at_work_is_left_alone_whoever_looks() -> None:
    run = begun()
    with ExitStack() as stack:
        stack.enter_context(import_working(run_id=run.id))
        with import_working(run_id=run.id):
            # As the process before it, which has not noticed yet.
            assert looked_at(run).status == ImportStatus.RUNNING
        assert looked_at(run).status == ImportStatus.RUNNING
        assert looked_at(begun()).status == ImportStatus.BROKEN
    # PostgreSQL gives up the lock when it notices that the connection has ended.
    assert eventually(lambda: looked_at(run).status == ImportStatus.BROKEN)


def test_an_import_that_has_just_begun_or_gone_on_has_time_to_start() -> None:
    assert looked_at(begun(age=0.9)).status == ImportStatus.RUNNING
    assert looked_at(import_continue(run_id=looked_at(begun()).id)).status == ImportStatus.RUNNING


@pytest.mark.once
@pytest.mark.parametrize("status", [each for each in ImportStatus if each != ImportStatus.RUNNING])
def test_only_what_is_said_to_run_is_closed(status: ImportStatus) -> None:
    assert looked_at(begun(status=status)).status == status


def test_where_nothing_can_be_stored_it_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise OperationalError("read-only")

    monkeypatch.setattr(imports, "import_close", refuse)
    run = begun()
    imports_close_dead(runs=[run])
    assert import_content(run)["status"] == "broken"
    assert ImportRun.objects.get(id=run.id).status == ImportStatus.RUNNING


def test_a_lock_that_cannot_be_looked_at_is_no_death(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> bool:
        raise OSError

    monkeypatch.setattr(backend().locks, "is_import_locked", fail)
    assert looked_at(begun()).status == ImportStatus.RUNNING
