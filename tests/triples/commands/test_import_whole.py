"""`import_triples`: nothing of an input is left out without a word, and nothing is stored that would be misread."""

import lzma
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.triples.commands.runs import counts, imported
from tests.triples.commands.test_import_triples import COMPRESSORS, CONTENTS, written
from tests.triples.store.graphs import stored_rows
from triples.exchange import importing
from triples.exchange.facts import Scale
from triples.exchange.formats.tsv import FEWEST_LINES
from triples.store.bulk import Loaded, Loader
from triples.store.operations import Fact

pytestmark = pytest.mark.usefixtures("database")


def test_no_stream_of_a_file_is_left_out_without_a_word(tmp_path: Path) -> None:
    file = tmp_path / "facts.tsv.xz"
    file.write_bytes(lzma.compress(b"a\tb\tc\n") + bytes(4) + lzma.compress(b"d\te\tf\n"))
    assert imported(file).counts == counts(2, 2)
    file.write_bytes(lzma.compress(b"g\th\ti\n") + b"no stream")
    run = imported(file)
    assert (run.counts, run.error and run.error.returncode) == (counts(1, 1), 1)
    assert "after line 1: cannot be read on: an xz stream is followed by what is neither" in str(run.error)


@pytest.mark.parametrize(("most", "expected"), [(1_000, [250, 50]), (100_000, [300])])
def test_facts_with_long_texts_are_stored_before_they_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, expected: list[int]
) -> None:
    sizes: list[int] = []
    load = Loader.load

    def noted(loader: Loader, facts: Sequence[Fact]) -> Loaded:
        sizes.append(len(facts))
        return load(loader, facts)

    monkeypatch.setattr(Loader, "load", noted)
    monkeypatch.setattr(importing, "MAX_CHUNK_CHARACTERS", most)
    file = tmp_path / "facts.ndjson"
    file.write_text("".join(f'{{"subject":"s{number}","predicate":"p","object":"o"}}\n' for number in range(300)))
    assert imported(file).counts == counts(300, 300)
    assert sizes == expected


STATED_TWICE = [
    ("ttl", "<a:a> <a:p> <a:b> {| <urn:skg:weight> 0.2 |} .\n<a:a> <a:p> <a:b> {| <urn:skg:weight> 0.5 |} .\n"),
    (
        "trig",
        "_:g { <a:a> <a:p> <a:b> } _:h { <a:a> <a:p> <a:b> }\n_:g <urn:skg:weight> 0.2 . _:h <urn:skg:weight> 0.5 .",
    ),
]


@pytest.mark.parametrize(("ending", "content"), STATED_TWICE)
@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("on_duplicate", ["keep", "replace"])
def test_the_greatest_weight_that_rdf_states_is_stored(
    tmp_path: Path, ending: str, content: str, is_turned: bool, on_duplicate: str
) -> None:
    if is_turned:
        content = content.replace("0.2", "x").replace("0.5", "0.2").replace("x", "0.5")
    file = written(tmp_path / f"facts.{ending}", content)
    assert imported(file, on_duplicate=on_duplicate).counts == counts(2, 1, duplicates=1)
    assert [row.weight for row in stored_rows().values()] == [0.5]


@pytest.mark.parametrize("before", ["", "\ufeff", "\n\n"])
def test_a_header_of_tsv_names_the_columns(tmp_path: Path, before: str) -> None:
    lines = "".join(f"0.5\to{number}\tp\ts\n" for number in range(3 * FEWEST_LINES))
    file = written(tmp_path / "facts.tsv", f"{before}Weight\tobject\tpredicate\tsubject\n{lines}")
    assert imported(file).counts == counts(3 * FEWEST_LINES, 3 * FEWEST_LINES)
    assert {(subject, row.weight) for (subject, _, _), row in stored_rows().items()} == {("s", 0.5)}


@pytest.mark.parametrize("name", ["facts.tsv", "facts.csv", "facts.tsv.xz"])
def test_a_header_with_other_names_stops_before_anything_is_stored(tmp_path: Path, name: str) -> None:
    content = "source\trelation\ttarget\na\tb\tc\n"
    if "csv" in name:
        content = content.replace("\t", ",")
    file = tmp_path / name
    file.write_bytes(COMPRESSORS[file.suffix if file.suffix == ".xz" else ""](content.encode()))
    good = written(tmp_path / "good.tsv", "d\te\tf\n")
    for options in ({}, {"dry_run": True}):
        run = imported(good, file, **options)
        assert (run.counts, run.error and run.error.returncode) == (counts(0, 0), 1)
        assert str(run.error).startswith(f"{file}: the first line looks like a header with the columns source, ")
        assert "a header names subject, predicate, object, and if wanted weight and metadata." in str(run.error)
    assert stored_rows() == {}
    assert imported(good, file, header=False).counts == counts(3, 3)


@pytest.mark.parametrize("format_", CONTENTS)
def test_a_text_that_is_no_utf_8_stops_before_anything_is_stored(tmp_path: Path, format_: str) -> None:
    file = tmp_path / f"facts.{format_}"
    file.write_bytes(CONTENTS[format_].encode("utf-16"))
    run = imported(written(tmp_path / "good.tsv", "d\te\tf\n"), file)
    assert (run.counts, run.error and run.error.returncode) == (counts(0, 0), 1)
    assert str(run.error) == (f"{file}: the text is UTF-16, not UTF-8; `iconv -f UTF-16 -t UTF-8` makes UTF-8 of it.")


def test_every_line_between_two_stray_quotation_marks_is_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = "".join(f"s{number},near,s{number + 1}\n" for number in range(20))
    file = written(tmp_path / "facts.csv", f'Kepler,said,"Astronomia nova\n{good}Brahe,said,in haste"\na,b,c\n')
    assert imported(file).counts == counts(23, 21, refused=2)
    told = capsys.readouterr().err
    assert f"{file}:1: " in told
    assert f"{file}:22: has a quotation mark that encloses no field" in told


@pytest.mark.parametrize("format_", CONTENTS)
def test_there_is_one_zero(tmp_path: Path, format_: str) -> None:
    content = {
        "tsv": "s\tp\to\t-0.0\n" * 500,
        "csv": "s,p,o,-0.0\n",
        "ndjson": '{"subject":"s","predicate":"p","object":"o","weight":-0.0}\n',
    }[format_]
    imported(written(tmp_path / f"facts.{format_}", content))
    assert [repr(row.weight) for row in stored_rows().values()] == ["0.0"]
    imported(written(tmp_path / "other.tsv", "s\tp\tother\t10\n"), scale_weights=Scale(10, 0))
    assert {repr(row.weight) for row in stored_rows().values()} == {"0.0"}
