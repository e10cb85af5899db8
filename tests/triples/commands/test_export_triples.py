"""`export_triples`: files that hold the graph, whole or not at all."""

import csv
import errno
import gzip
import io
import lzma
import os
import signal
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from skg_site.cli.interrupts import Interrupted
from tests.support.database import empty_tables, in_orm
from tests.triples.commands.runs import imported
from tests.triples.exchange.test_round_trip import ODD_TEXTS
from tests.triples.store.graphs import fact, store, stored_rows
from triples.exchange.formats.tsv import TSV
from triples.exchange.zstd import ZstdFile

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

ODD_FACTS = [
    *(fact(text, text, text) for text in ODD_TEXTS),
    fact("weight", "w", "zero", 0.0),
    fact("weight", "w", "least", 5e-324),
    fact("weight", "w", "sum", 0.1 + 0.2),
    fact("metadata", "m", "o", 1.0, orjson.dumps({text: [text, 1.0, -0.0, None] for text in ODD_TEXTS}).decode()),
]


def unzipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        [name] = archive.namelist()
        return archive.read(name)


READERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda content: ZstdFile(io.BytesIO(content)).read(),
    ".zip": unzipped,
}


def exported(file: Path, **options: Any) -> dict[str, Any]:
    printed = io.StringIO()
    call_command("export_triples", str(file), json=True, stderr=printed, **options)
    summary: dict[str, Any] = orjson.loads(printed.getvalue())
    return summary


def contents() -> dict[tuple[str, str, str], tuple[str, str | None]]:
    return {key: (repr(row.weight), row.metadata) for key, row in stored_rows().items()}


@pytest.mark.once
@pytest.mark.parametrize("format_", ["tsv", "csv", "ndjson"])
@pytest.mark.parametrize("suffix", READERS)
def test_what_is_exported_and_imported_again_is_the_same_graph(tmp_path: Path, format_: str, suffix: str) -> None:
    store(*ODD_FACTS)
    before = contents()
    file = tmp_path / f"graph.{format_}{suffix}"
    assert exported(file)["exported"] == len(ODD_FACTS)
    in_orm(empty_tables)
    run = imported(file)
    assert (run.error, run.counts["inserted"]) == (None, len(ODD_FACTS))
    assert contents() == before


FORMULAS = ['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "=a;=b"]


@pytest.mark.once
def test_no_spreadsheet_takes_a_term_of_a_safe_csv_for_a_formula(tmp_path: Path) -> None:
    harmless = ["a", "'=1", "a=b", "1-1", "a;=b"]
    store(*(fact(text, text, text, 0.5, '{"n":-1}') for text in (*FORMULAS, *harmless)))
    exported(tmp_path / "graph.csv", safe_csv=True)
    content = (tmp_path / "graph.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(content))
    assert header == ["subject", "predicate", "object", "weight", "metadata"]
    expected = [f"'{text}" for text in FORMULAS] + harmless
    assert sorted(rows) == sorted([text, text, text, "0.5", '{"n":-1}'] for text in expected)
    # Each cell is quoted: in some languages a semicolon is what ends one.
    assert all(line.startswith('"') for line in content.splitlines()[1:])
    in_orm(empty_tables)
    assert imported(tmp_path / "graph.csv").error is None
    assert {subject for subject, _, _ in stored_rows()} == set(expected)


@pytest.mark.once
def test_a_plain_csv_keeps_every_term_as_it_is(tmp_path: Path) -> None:
    store(*(fact(text, text, text) for text in FORMULAS))
    exported(tmp_path / "graph.csv")
    rows = list(csv.reader(io.StringIO((tmp_path / "graph.csv").read_text(encoding="utf-8"))))[1:]
    assert {row[0] for row in rows} == set(FORMULAS)


@pytest.mark.once
@pytest.mark.parametrize(
    ("format_", "options", "sentence"),
    [
        ("tsv", {"weights": "graphs"}, "--weights is for RDF, not for tsv"),
        ("csv", {"plain": True}, "--plain is for RDF, not for csv"),
        ("parquet", {"weight_property": "urn:w"}, "--weight-property is for RDF, not for parquet"),
        ("graphml", {"prefix": [("e", "http://e.org/")]}, "--prefix is for RDF, not for graphml"),
        ("ttl", {"weights": "graphs"}, "--weights: Turtle cannot .* it can by annotations, reification"),
        ("nq", {"plain": True, "weights": "graphs"}, "--weights would do nothing"),
        ("nt", {"plain": True, "times": True}, "--times would do nothing"),
        ("nt", {"plain": True, "weight_property": "urn:w"}, "--weight-property would do nothing"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    tmp_path: Path, format_: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        exported(tmp_path / f"graph.{format_}", **options)
    assert caught.value.returncode == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.once
@pytest.mark.parametrize("format_", ["tsv", "ndjson"])
def test_only_csv_can_be_made_safe(tmp_path: Path, format_: str) -> None:
    with pytest.raises(CommandError, match=f"--safe-csv is for CSV, not for {format_}") as caught:
        exported(tmp_path / f"graph.{format_}", safe_csv=True)
    assert caught.value.returncode == 2


@pytest.mark.once
@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("tsv", 'a\tp\to\nb\tp\to\t0.5\nc\tp\to\t1.0\t{"n":1.0}\n'),
        ("csv", 'subject,predicate,object,weight,metadata\r\na,p,o,1.0,\r\nb,p,o,0.5,\r\nc,p,o,1.0,"{""n"":1.0}"\r\n'),
        (
            "ndjson",
            """\
{"subject":"a","predicate":"p","object":"o","weight":1.0}
{"subject":"b","predicate":"p","object":"o","weight":0.5}
{"subject":"c","predicate":"p","object":"o","weight":1.0,"metadata":{"n":1.0}}
""",
        ),
    ],
)
@pytest.mark.parametrize("suffix", READERS)
def test_each_format_has_its_form(tmp_path: Path, format_: str, expected: str, suffix: str) -> None:
    store(fact("a"), fact("b", weight=0.5), fact("c", metadata='{"n":1.0}'))
    file = tmp_path / f"graph.{format_}{suffix}"
    exported(file)
    assert READERS[suffix](file.read_bytes()).decode() == expected


@pytest.mark.once
def test_format_and_compression_can_be_given(tmp_path: Path) -> None:
    store(fact("a"))
    file = tmp_path / "graph.dump"
    exported(file, format="tsv", compress="gzip")
    assert gzip.decompress(file.read_bytes()) == b"a\tp\to\n"
    exported(tmp_path / "graph.tsv.gz", compress="none")
    assert (tmp_path / "graph.tsv.gz").read_bytes() == b"a\tp\to\n"


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "options", "member"),
    [("g.tsv.zip", {}, "g.tsv"), ("g.zip", {"format": "csv"}, "g.csv"), ("g", {"format": "tsv"}, "g.tsv")],
)
def test_the_file_in_a_zip_has_a_name_that_shows_its_format(
    tmp_path: Path, name: str, options: dict[str, str], member: str
) -> None:
    exported(tmp_path / name, compress="zip", **options)
    with zipfile.ZipFile(tmp_path / name) as archive:
        assert archive.namelist() == [member]


def test_the_same_graph_makes_the_same_file(tmp_path: Path) -> None:
    store(*ODD_FACTS)
    for suffix in READERS:
        for folder in ("1", "2"):
            (tmp_path / folder).mkdir(exist_ok=True)
            exported(tmp_path / folder / f"graph.tsv{suffix}")
        assert len({(tmp_path / folder / f"graph.tsv{suffix}").read_bytes() for folder in ("1", "2")}) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"subject": "a"}, ["a\tq\tx\t0.9", "a\tp\to\t0.2"]),
        ({"predicate": "p"}, ["b\tp\to\t0.5", "a\tp\to\t0.2"]),
        ({"object": "o", "min_weight": 0.5}, ["b\tp\to\t0.5"]),
        ({"subject": "a", "predicate": "p", "object": "o"}, ["a\tp\to\t0.2"]),
        ({"subject": "nobody"}, []),
    ],
)
def test_a_part_can_be_exported(tmp_path: Path, options: dict[str, Any], expected: list[str]) -> None:
    store(fact("a", "p", "o", 0.2), fact("a", "q", "x", 0.9), fact("b", "p", "o", 0.5))
    exported(tmp_path / "graph.tsv", **options)
    assert (tmp_path / "graph.tsv").read_text().splitlines() == expected


@pytest.mark.once
def test_constants_are_taken_as_they_are_stored(tmp_path: Path) -> None:
    store(fact("\u00e9"))
    printed = io.StringIO()
    call_command("export_triples", str(tmp_path / "graph.tsv"), "--subject= e\u0301", stderr=printed)
    assert printed.getvalue().startswith("1 fact exported (")
    with pytest.raises(CommandError, match="must not be empty"):
        call_command("export_triples", str(tmp_path / "graph.tsv"), "--subject= ")


@pytest.mark.once
@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (OperationalError("disk I/O error"), 1, "The database did not do it: disk I/O error"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 1, "No space left on device"),
        (Interrupted(signal.SIGINT), 130, "Interrupted before the end"),
    ],
)
@pytest.mark.parametrize("content", [None, "before"])
def test_a_file_appears_only_when_it_is_complete(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
    error: BaseException,
    code: int,
    reason: str,
) -> None:
    store(fact("a"))
    file = tmp_path / "graph.tsv"
    if content is not None:
        file.write_text(content)

    def break_off(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(TSV, "rendered", break_off)
    with pytest.raises(CommandError, match=reason) as failed:
        exported(file)
    assert failed.value.returncode == code
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == (
        [] if content is None else [("graph.tsv", content)]
    )


@pytest.mark.once
def test_a_file_is_replaced_with_the_rights_of_a_new_one(tmp_path: Path) -> None:
    store(fact("a"))
    file, link = tmp_path / "graph.tsv", tmp_path / "link.tsv"
    file.write_text("before")
    link.symlink_to(file)
    before = os.umask(0o027)
    try:
        exported(link)
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert file.read_text() == "a\tp\to\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.once
def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    assert exported(Path("/dev/null"), format="tsv")["exported"] == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        (os.fsdecode(b"\xff/graph.tsv"), 1, r"udcff/graph.tsv: No such file"),
        ("missing/graph.tsv", 1, "No such file"),
        ("graph", 2, "give --format"),
        ("folder.tsv", 1, "Is a directory"),
    ],
)
def test_what_cannot_be_written_says_why(tmp_path: Path, name: str, code: int, reason: str) -> None:
    (tmp_path / "folder.tsv").mkdir()
    with pytest.raises(CommandError, match=reason) as failed:
        exported(tmp_path / name)
    assert failed.value.returncode == code


@pytest.mark.once
def test_the_summary_is_one_json_object(tmp_path: Path) -> None:
    store(fact("a"))
    summary = exported(tmp_path / "graph.tsv")
    assert summary.pop("seconds") >= 0
    assert summary.pop("facts_per_second") > 0
    assert summary == {"complete": True, "exported": 1, "error": None}
