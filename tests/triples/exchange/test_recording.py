"""The row of an import, which another process may take over or undo."""

import os
from collections.abc import Callable

import pytest

from skg_site.cli.interrupts import Interrupted, Interrupts
from triples.exchange import recording
from triples.exchange.destinations import OwnGraph
from triples.exchange.recording import Recording
from triples.import_runs import ImportRun
from triples.services.imports import import_begin, import_continue, import_undo_begin


@pytest.mark.both
@pytest.mark.parametrize("lose", [import_continue, import_undo_begin])
@pytest.mark.usefixtures("database")
def test_a_process_that_has_lost_its_import_is_stopped_whatever_it_does(
    lose: Callable[..., ImportRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "LOOK_SECONDS", 0.02)
    run = import_begin(source="x", format_name="tsv", requested_by="tests", options={})
    mine = Recording(run, OwnGraph(replace=False, dry_run=False))
    reader, writer = os.pipe()

    def wait_for_content() -> None:
        with mine.watched():
            lose(run_id=run.id)
            os.read(reader, 1)

    try:
        with Interrupts().caught(), pytest.raises(Interrupted):
            wait_for_content()
    finally:
        os.close(reader)
        os.close(writer)
