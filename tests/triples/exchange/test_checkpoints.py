"""How far an import came, as it is kept in a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from triples.exchange.checkpoints import Checkpoint, CheckpointFile, Counts
from triples.exchange.file_source import Place
from triples.exchange.inputs import File
from triples.store.bulk import Watermark

FILES = [File("/data/a.tsv", 10, 1), File("/data/b.tsv", 20, 2)]
OPTIONS = {"weight": 1.0, "formats": ["tsv", "tsv"]}
CHECKPOINT = Checkpoint(
    Place(1, 5, 100), Counts(read=9, inserted=5, updated=1, duplicates=2, refused=1), Watermark(7, 8)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that is made when it is needed."""
    return tmp_path / "state" / "imports"


def checkpoints(folder: Path, files: Sequence[File] = FILES, options: Mapping[str, Any] = OPTIONS) -> CheckpointFile:
    return CheckpointFile(folder, [file.path for file in files], [*files, options])


def test_what_was_saved_is_loaded(folder: Path) -> None:
    checkpoints(folder).save(Checkpoint(Place(), Counts(), Watermark(1, 1)))
    checkpoints(folder).save(CHECKPOINT)
    assert checkpoints(folder).load() == CHECKPOINT
    assert len(list(folder.iterdir())) == 1


def test_without_a_file_there_is_none(folder: Path) -> None:
    kept = checkpoints(folder)
    assert kept.load() is None
    kept.remove()
    kept.save(CHECKPOINT)
    kept.remove()
    assert kept.load() is None


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ([FILES[0]._replace(size=11), FILES[1]], OPTIONS),
        ([FILES[0], FILES[1]._replace(changed_ns=3)], OPTIONS),
        (FILES[:1], OPTIONS),
        (FILES[::-1], OPTIONS),
        (FILES, OPTIONS | {"weight": 0.5}),
    ],
)
def test_one_of_other_content_or_options_is_none(folder: Path, files: list[File], options: dict[str, Any]) -> None:
    checkpoints(folder).save(CHECKPOINT)
    assert checkpoints(folder, files, options).load() is None


@pytest.mark.parametrize("content", [b"", b"{}", b'["x", 1]', b"\xff", b'["x", [[0, 0, 0], {}, [1'])
def test_one_that_a_power_cut_damaged_is_none(folder: Path, content: bytes) -> None:
    kept = checkpoints(folder)
    kept.save(CHECKPOINT)
    [file] = folder.iterdir()
    file.write_bytes(content)
    assert kept.load() is None
