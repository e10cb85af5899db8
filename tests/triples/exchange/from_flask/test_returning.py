"""`migrate_from_flask --back`: what was added since, for the old service to take."""

import lzma
import signal
from pathlib import Path

import orjson
import pytest

from skg_site.cli.interrupts import Interrupted
from tests.support.facts import store
from tests.triples.exchange.from_flask.old import migrated
from triples.exchange.formats.ndjson import NDJSON

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]


def test_it_has_what_the_old_database_has_not(old: Path, tmp_path: Path) -> None:
    migrated(old)
    store(("new", "p", "é", 0.5, '{"n":1}'), ("s1", "p", "other"))
    file = tmp_path / "back.ndjson.xz"
    run = migrated(old, "--back", str(file))
    assert run.error is None
    assert run.summary["exported"] == 2
    assert [orjson.loads(line) for line in lzma.decompress(file.read_bytes()).splitlines()] == [
        {"subject": "new", "predicate": "p", "object": "é", "weight": 0.5, "metadata": {"n": 1}},
        {"subject": "s1", "predicate": "p", "object": "other", "weight": 1.0},
    ]


@pytest.mark.once
def test_rows_that_never_came_over_do_not_matter(old: Path, tmp_path: Path) -> None:
    migrated(old, "--scale-weights=0:0.5")
    file = tmp_path / "back.ndjson"
    assert migrated(old, "--back", str(file)).summary["exported"] == 0
    assert file.read_bytes() == b""


@pytest.mark.once
def test_an_end_before_the_end_leaves_no_file(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(("new", "p", "o"))
    file = tmp_path / "back.ndjson"

    def stop(*_: object, **_named: object) -> None:
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr(NDJSON, "rendered", stop)
    run = migrated(old, "--back", str(file))
    assert run.error is not None
    assert (run.error.returncode, file.exists()) == (143, False)
