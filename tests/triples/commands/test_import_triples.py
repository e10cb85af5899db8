"""`import_triples`: what it stores, reports and counts."""

import gzip
import io
import lzma
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from django.core.management import CommandError, call_command
from prometheus_client import REGISTRY

from tests.triples.commands.runs import counts, imported
from tests.triples.store.graphs import counted, fact, load_first, store, stored_rows, tallied
from triples.exchange import zstd
from triples.exchange.refusals import SHOWN
from triples.models import Term
from triples.store.bulk import Loader

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

CONTENTS = {
    "tsv": 's\tp\to\nthe "s"\tp\té\t0.5\ns\tp\t東京\t0.25\t{"n": [1.0, "x"]}\n',
    "csv": 'subject,predicate,object,weight,metadata\r\ns,p,o,,\r\n"the ""s""",p,é,0.5,\r\n'
    's,p,東京,0.25,"{""n"": [1.0, ""x""]}"\r\n',
    "ndjson": '{"subject":"s","predicate":"p","object":"o"}\n'
    '{"subject":"the \\"s\\"","predicate":"p","object":"\\u00e9","weight":0.5}\n'
    '{"subject":"s","predicate":"p","object":"東京","weight":0.25,"metadata":{"n": [1.0, "x"]}}\n',
}
STORED = {
    ("s", "p", "o"): (1.0, None),
    ('the "s"', "p", "é"): (0.5, None),
    ("s", "p", "東京"): (0.25, '{"n":[1.0,"x"]}'),
}
CHUNK = 1_000


def zipped(content: bytes, *names: str) -> bytes:
    return archived(dict.fromkeys(names or ["facts"], content))


def archived(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
    ".zip": zipped,
}


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


def numbered_facts(count: int, start: int = 0) -> str:
    return "".join(f"s{number}\tp\to\n" for number in range(start, start + count))


@pytest.mark.once
@pytest.mark.parametrize("format_", CONTENTS)
@pytest.mark.parametrize("suffix", COMPRESSORS)
def test_each_format_is_imported_compressed_or_not(tmp_path: Path, format_: str, suffix: str) -> None:
    file = tmp_path / f"facts.{format_}{suffix}"
    file.write_bytes(COMPRESSORS[suffix](CONTENTS[format_].encode()))
    run = imported(file)
    assert (run.error, run.counts) == (None, counts(3, 3))
    rows = stored_rows()
    assert {key: (row.weight, row.metadata) for key, row in rows.items()} == STORED
    assert {row.source for row in rows.values()} == {3}
    assert tallied() == counted()


@pytest.mark.once
def test_a_file_s_content_says_how_it_is_compressed(tmp_path: Path) -> None:
    (tmp_path / "facts.tsv").write_bytes(gzip.compress(b"a\tb\tc\n") + gzip.compress(b"d\te\tf\n"))
    (tmp_path / "facts.tsv.xz").write_bytes(b"g\th\ti\n")
    assert imported(tmp_path / "facts.tsv", tmp_path / "facts.tsv.xz").counts == counts(3, 3)


@pytest.mark.once
def test_each_file_of_a_zip_is_imported(tmp_path: Path) -> None:
    (tmp_path / "facts.zip").write_bytes(zipped(b"a,b,c\n", "x.csv", "folder/y.tsv", "folder/", "__MACOSX/._x.csv"))
    run = imported(tmp_path / "facts.zip")
    assert (run.counts, list(stored_rows())) == (counts(2, 1, refused=1), [("a", "b", "c")])


WITH_NOTES = {
    "README.txt": b"Some facts.\n\n\nBy A.\n",
    "more.csv": b"subject,predicate,object\nc,p,d\n",
    "facts.tsv": b"a\tp\tb\n",
    "logo.png": b"\x89PNG\r\n\x00",
}


@pytest.mark.once
@pytest.mark.parametrize("name", ["graph.zip", "graph.tsv.zip"])
def test_what_is_no_data_in_a_zip_is_told_and_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).write_bytes(archived(WITH_NOTES))
    errors = tmp_path / "errors"
    assert imported(tmp_path / name, errors=errors).counts == counts(2, 2)
    assert {key[0] for key in stored_rows()} == {"a", "c"}
    told = "".join(
        f"{tmp_path / name}/{other}: passed over, since neither its name nor its content shows the format of data\n"
        for other in ("README.txt", "logo.png")
    )
    assert errors.read_text() == told
    assert " ".join(told.split()) in " ".join(capsys.readouterr().err.split())


@pytest.mark.once
def test_a_format_that_is_given_is_that_of_every_file_in_a_zip(tmp_path: Path) -> None:
    (tmp_path / "graph.zip").write_bytes(archived(WITH_NOTES))
    run = imported(tmp_path / "graph.zip", format="tsv")
    assert run.counts == counts(7, 1, refused=6)


@pytest.mark.once
def test_a_zip_without_any_data_names_its_files_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_bytes(zipped(b"a p b\n", *(f"{number}.txt" for number in range(6))))
    message = str(imported(tmp_path / "notes.zip").error)
    assert message.startswith(f"{tmp_path}/notes.zip/0.txt, ")
    assert f"{tmp_path}/notes.zip/4.txt …: the name does not end in .arrow, " in message
    assert message.endswith("; give --format.")


@pytest.mark.once
def test_a_damaged_file_without_an_ending_says_why(tmp_path: Path) -> None:
    (tmp_path / "facts").write_bytes(gzip.compress(b"a p b")[:15])
    assert "cannot be read" in str(imported(tmp_path / "facts").error)


@pytest.mark.once
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(b"")[:-30], "cannot be read as a zip"),
        (zipped(b"", "folder/"), "the zip holds no files"),
        (zipped(b"a\tb\tc\n", "notes.unknown"), "give --format"),
        (zipped(b"a\tb\tc\n", "a.tsv").replace(b"a\tb\tc\n", b"a\tb\tX\n"), "cannot be read on: Bad CRC-32"),
    ],
    ids=["cut off", "empty", "unknown", "damaged"],
)
def test_a_zip_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "facts.zip").write_bytes(content)
    assert reason in str(imported(tmp_path / "facts.zip").error)


@pytest.mark.once
def test_a_cut_off_zstd_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "facts.tsv.zst").write_bytes(zstd.compress(b"a\tb\tc\n") + zstd.compress(b"d\te\tf\n")[:-3])
    run = imported(tmp_path / "facts.tsv.zst")
    assert "cannot be read on: " in str(run.error)


@pytest.mark.once
def test_a_file_s_name_need_not_be_a_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = imported(written(tmp_path / os.fsdecode(b"\xff.tsv"), "a\tb\tc\nbad\n"))
    assert run.counts == counts(2, 1, refused=1)
    assert "/\\udcff.tsv:2: " in capsys.readouterr().err


@pytest.mark.once
def test_a_format_can_be_given(tmp_path: Path) -> None:
    assert imported(written(tmp_path / "facts.txt", CONTENTS["csv"]), format="csv").counts == counts(3, 3)


def test_what_is_there_is_counted_as_duplicate(tmp_path: Path) -> None:
    store(fact("s1", weight=0.5))
    file = written(tmp_path / "facts.tsv", numbered_facts(3) + numbered_facts(2))
    assert imported(file).counts == counts(5, 2, duplicates=3)
    assert imported(file).counts == counts(5, 0, duplicates=5)
    assert stored_rows()["s1", "p", "o"].weight == 0.5


def test_what_is_there_can_be_replaced(tmp_path: Path) -> None:
    store(fact("s1", weight=0.5))
    file = written(tmp_path / "facts.tsv", numbered_facts(3))
    assert imported(file, on_duplicate="replace").counts == counts(3, 2, updated=1)
    assert stored_rows()["s1", "p", "o"].weight == 1


@pytest.mark.once
def test_the_summary_is_a_sentence(tmp_path: Path) -> None:
    file = written(tmp_path / "facts.tsv", "a\tb\tc\n")
    store(fact("a", "b", "c", 0.5))
    printed = io.StringIO()
    call_command("import_triples", str(file), on_duplicate="replace", stdout=printed)
    assert re.fullmatch(
        r"1 fact read: 0 inserted, 1 updated, 0 duplicates, 0 refused \([\d.]+ s, [\d,]+ facts/s\)\.\n",
        printed.getvalue(),
    )


@pytest.mark.once
def test_facts_without_a_weight_get_the_one_that_is_given(tmp_path: Path) -> None:
    imported(written(tmp_path / "facts.tsv", "a\tp\to\nb\tp\to\t0.75\n"), weight=0.5)
    assert {key[0]: row.weight for key, row in stored_rows().items()} == {"a": 0.5, "b": 0.75}


@pytest.mark.once
def test_weights_can_be_scaled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "facts.tsv", "a\tp\to\t-2\nb\tp\to\t0\nc\tp\to\t6.5\nd\tp\to\n")
    printed = io.StringIO()
    call_command("import_triples", str(file), "--scale-weights=-2:6", stdout=printed)
    assert {key[0]: row.weight for key, row in stored_rows().items()} == {"a": 0.0, "b": 0.25, "d": 1.0}
    assert capsys.readouterr().err == f"{file}:3: weight must be from -2 to 6, not 6.5\n"
    assert printed.getvalue().startswith("4 facts read: 3 inserted, 0 duplicates, 1 refused (")


def test_refused_lines_are_reported_and_the_rest_is_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "facts.tsv"
    file.write_bytes(
        b'a\tb\tc\n\nbad\n\tb\tc\na\tb\tc\t2\na\tb\t\xff\na\tb\td\x1b[31m\na\tb\tc\t1\t{"\x01": 1}\nd\te\tf\r\n'
    )
    run = imported(file)
    assert (run.error, run.counts) == (None, counts(8, 2, refused=6))
    assert capsys.readouterr().err.splitlines() == [
        f"{file}:3: has 1 column instead of 3 to 5",
        f"{file}:4: subject must not be empty",
        f"{file}:5: weight must be from 0 to 1, not 2.0",
        f"{file}:6: is not UTF-8 at byte 5",
        f"{file}:7: object must not contain the control character U+001B",
        f"{file}:8: metadata is not JSON: control character (\\u0000-\\u001F) found while parsing a string at column 3",
    ]


@pytest.mark.once
def test_the_first_refused_lines_are_shown_and_all_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "facts.tsv", "bad\n" * (SHOWN + 10) + "a\tb\tc\n")
    errors = written(tmp_path / "errors.txt", "of an earlier import\n")
    assert imported(file, errors=errors).summary["refused"] == SHOWN + 10
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == SHOWN + 1
    assert shown[-1].startswith("Further refused lines are only counted")
    everything = errors.read_text(encoding="utf-8").splitlines()
    assert len(everything) == SHOWN + 10
    assert everything[:SHOWN] == shown[:-1]


@pytest.mark.once
def test_what_a_line_holds_cannot_control_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "\\u001b[31m\\u202e"
    imported(written(tmp_path / "facts.ndjson", f'{{"{key}": 1}}\n{{"a": 1, "\\u001bx": 1, "\\u001bx": 2}}\n'))
    shown = capsys.readouterr().err
    assert "\\x1b[31m\\u202e" in shown
    assert all(line.isprintable() for line in shown.splitlines())


def test_strict_stops_at_the_first_refused_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Loader, "chunk_size", CHUNK)
    before, behind = numbered_facts(CHUNK + 5), numbered_facts(10, start=5_000)
    file = written(tmp_path / "facts.tsv", f"{before}bad\n{behind}")
    run = imported(file, strict=True)
    assert run.error is not None
    assert run.error.returncode == 1
    # The chunk that was committed before stays; nothing of the one with the bad line does.
    assert run.counts == counts(CHUNK, CHUNK)
    assert counted()[0] == CHUNK
    assert capsys.readouterr().err == f"{file}:{CHUNK + 6}: has 1 column instead of 3 to 5\n"


@pytest.mark.once
def test_an_import_of_which_every_line_is_refused_has_failed(tmp_path: Path) -> None:
    run = imported(written(tmp_path / "facts.tsv", CONTENTS["csv"]))
    assert run.error is not None
    assert run.error.returncode == 1
    assert "is the format the right one?" in str(run.error)
    assert run.counts == counts(4, 0, refused=4)


@pytest.mark.once
@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_imported(tmp_path: Path, content: str) -> None:
    run = imported(written(tmp_path / "facts.tsv", content))
    assert (run.error, run.counts) == (None, counts(0, 0))


def test_a_dry_run_checks_and_counts_and_stores_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(fact("s1"))
    file = written(tmp_path / "facts.tsv", numbered_facts(3) + "bad\n")
    run = imported(file, dry_run=True)
    assert (run.error, run.counts) == (None, counts(4, 2, duplicates=1, refused=1))
    assert run.summary["dry_run"] is True
    assert list(stored_rows()) == [("s1", "p", "o")]
    assert f"{file}:4:" in capsys.readouterr().err
    printed = io.StringIO()
    call_command("import_triples", str(file), dry_run=True, stdout=printed)
    assert "2 would be new" in printed.getvalue()
    assert "Nothing was stored" in printed.getvalue()


@pytest.mark.parametrize("suffix", ["", ".xz"])
def test_many_facts_and_some_odd_lines_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    load_first(monkeypatch, 1_000)
    # Parts that are as long as what is read at once; the odd lines are in the second.
    many = [f"s{number % 700}\tp\t{'x' * 480}{number}\t0.5" for number in range(6_000)]
    odd = ["s0\tp\to", "bad", "s0\tp\to\t0.25", 's1\tp\to\t0\t{"n": 1}', ""]
    lines = [*many[:3_000], *odd, *many[3_000:], many[0]]
    file = tmp_path / f"facts.tsv{suffix}"
    file.write_bytes(COMPRESSORS[suffix]("\n".join(lines).encode()))
    run = imported(file)
    assert (run.error, run.counts) == (None, counts(6_005, 6_002, duplicates=2, refused=1))
    assert f"{file}:3002: has 1 column" in capsys.readouterr().err
    rows = stored_rows()
    assert len(rows) == 6_002
    assert {rows[line.split("\t")[0], "p", line.split("\t")[2]].weight for line in many} == {0.5}
    assert rows["s0", "p", "o"].weight == 1
    assert (rows["s1", "p", "o"].weight, rows["s1", "p", "o"].metadata) == (0, '{"n":1}')
    assert tallied() == counted() == (6_002, 700)


@pytest.mark.once
def test_the_summary_is_one_json_object(tmp_path: Path) -> None:
    printed = io.StringIO()
    call_command("import_triples", str(written(tmp_path / "facts.tsv", numbered_facts(3))), json=True, stdout=printed)
    summary = orjson.loads(printed.getvalue())
    assert summary.pop("seconds") >= 0
    assert summary.pop("facts_per_second") > 0
    assert summary.pop("import") > 0
    assert summary == {
        "complete": True,
        "dry_run": False,
        **counts(3, 3),
        "earlier_runs": counts(0, 0),
        "error": None,
    }


@pytest.mark.once
def test_imported_facts_are_in_the_metrics(tmp_path: Path) -> None:
    def added() -> float:
        return REGISTRY.get_sample_value("skg_triples_added_total", {"source": "import"}) or 0.0

    before = added()
    imported(written(tmp_path / "facts.tsv", numbered_facts(3) + numbered_facts(1)))
    assert added() - before == 3


@pytest.mark.once
@pytest.mark.parametrize(
    ("names", "options", "code", "reason"),
    [
        (["missing.tsv"], {}, 1, "No such file"),
        (["."], {"format": "tsv"}, 1, "Is a directory"),
        (["facts.unknown"], {}, 2, "give --format"),
        (["missing.unknown"], {}, 1, "No such file"),
        (["-"], {}, 2, "give --format"),
        (["-", "-"], {"format": "tsv"}, 2, "only once"),
        (["facts.tsv"], {"errors": Path("/dev/null/errors")}, 1, "Not a directory"),
    ],
)
def test_what_cannot_be_begun_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    options: dict[str, object],
    code: int,
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("facts.tsv", "facts.unknown"):
        written(tmp_path / name, numbered_facts(1))
    run = imported(*names, **options)
    assert run.error is not None
    assert reason in str(run.error)
    assert run.error.returncode == code
    assert stored_rows() == {}


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["facts.tsv", "--weight", "2"],
        ["facts.tsv", "--weight", "nan"],
        ["facts.tsv", "--scale-weights", "1:1"],
        ["facts.tsv", "--format", "xml"],
        ["facts.tsv", "--on-duplicate", "fail"],
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="Error: "):
        call_command("import_triples", *arguments)


@pytest.mark.once
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "facts.tsv", numbered_facts(1))
    # Tests may run as root, who may read everything.
    monkeypatch.setattr(os, "access", lambda *_: False)
    run = imported(file)
    assert str(run.error) == f"{file}: Permission denied."


@pytest.mark.once
def test_a_damaged_file_stops_the_import_and_says_where(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"s{number}\tp\t{'o' * 400}\n" for number in range(5_000)).encode())
    file = tmp_path / "facts.tsv.gz"
    file.write_bytes(whole[: len(whole) // 2])
    run = imported(file)
    assert run.error is not None
    assert run.error.returncode == 1
    assert f"{file}, after line " in str(run.error)
    assert run.counts["inserted"] == counted()[0] > 0
    assert run.summary["complete"] is False


@pytest.mark.parametrize("ending", ["nt", "ttl"])
def test_an_initial_load_stores_no_term_of_a_refused_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    load_first(monkeypatch, 10)
    file = tmp_path / f"facts.{ending}"
    file.write_text("".join(f'<urn:{number}> <urn:p> "{"o" * number}" .\n' for number in range(480, 510)))
    assert imported(file).counts == counts(30, 21, refused=9)
    assert set(Term.objects.values_list("text", flat=True)) == {
        "urn:p", *(text for number in range(480, 501) for text in (f"urn:{number}", "o" * number))
    }  # fmt: skip
