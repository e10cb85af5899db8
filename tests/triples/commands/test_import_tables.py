"""`import_triples` of tables that other programs wrote: any columns, any delimiter, wide tables."""

import csv
import io
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from tests.triples.commands.runs import counts, imported
from tests.triples.commands.test_import_triples import numbered_facts, written
from tests.triples.exchange.formats import CSV
from tests.triples.store.graphs import stored_rows
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.fields import Fields
from triples.exchange.formats.base import ReadOptions
from triples.exchange.lines import Refused
from triples.exchange.tables import TableOptions

pytestmark = [pytest.mark.usefixtures("database")]

Contents = dict[tuple[str, str, str], tuple[float, str | None]]
EDGES = "source,relationship,target,score,note,id\nAda,knows,Bob,0.5,met in 1840,1\nBob,knows,Cleo,1,,2\n"
COLUMNS = "subject=source,predicate=relationship,object=target,weight=score"


def contents() -> Contents:
    return {key: (row.weight, row.metadata) for key, row in stored_rows().items()}


def table(tmp_path: Path, content: str, *arguments: str, name: str = "facts.csv") -> Contents:
    """What is stored of a file, of which nothing is refused."""
    printed = io.StringIO()
    call_command("import_triples", str(written(tmp_path / name, content)), *arguments, stdout=printed)
    assert " 0 refused" in printed.getvalue()
    return contents()


def test_columns_of_other_names_are_mapped_and_the_rest_is_metadata(tmp_path: Path) -> None:
    assert table(tmp_path, EDGES, "--columns", COLUMNS) == {
        ("Ada", "knows", "Bob"): (0.5, '{"note":"met in 1840","id":"1"}'),
        ("Bob", "knows", "Cleo"): (1.0, '{"id":"2"}'),
    }


@pytest.mark.parametrize(
    ("ignored", "metadata"),
    [("id", '{"note":"met in 1840"}'), ("note", '{"id":"1"}'), ("id,note", None), ("*", None)],
)
def test_columns_can_be_ignored(tmp_path: Path, ignored: str, metadata: str | None) -> None:
    stored = table(tmp_path, EDGES, "--columns", COLUMNS, "--ignore", ignored)
    assert stored["Ada", "knows", "Bob"] == (0.5, metadata)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_guessed(tmp_path: Path, delimiter: str) -> None:
    content = EDGES.replace(",", delimiter)
    assert len(table(tmp_path, content, "--columns", COLUMNS)) == 2


def test_the_delimiter_can_be_given(tmp_path: Path) -> None:
    content = 'a,b~p~"x~y"\nc,d~p~z,z\n'
    stored = table(tmp_path, content, "--delimiter", "~")
    assert list(stored) == [("a,b", "p", "x~y"), ("c,d", "p", "z,z")]


def test_further_columns_of_a_header_are_metadata(tmp_path: Path) -> None:
    content = 'id,subject,predicate,object,metadata,seen\n7,s,p,o,"{""a"": 1}",\n8,s,p,q,,2020-01-01\n'
    assert table(tmp_path, content) == {
        ("s", "p", "o"): (1.0, '{"a":1,"id":"7"}'),
        ("s", "p", "q"): (1.0, '{"id":"8","seen":"2020-01-01"}'),
    }


def test_a_column_and_metadata_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    run = imported(written(tmp_path / "f.csv", 'subject,predicate,object,metadata,a\ns,p,o,"{""a"": 1}",2\nt,p,o,,\n'))
    assert (run.counts["refused"], list(stored_rows())) == (1, [("t", "p", "o")])


def test_columns_are_known_by_number_without_a_header(tmp_path: Path) -> None:
    content = "1,Ada,Bob,knows\n2,Bob,Cleo,knows\n"
    stored = table(tmp_path, content, "--no-header", "--columns", "subject=2,object=3,predicate=4", "--ignore", "1")
    assert stored == {("Ada", "knows", "Bob"): (1.0, None), ("Bob", "knows", "Cleo"): (1.0, None)}


def test_numbers_as_objects_are_their_text(tmp_path: Path) -> None:
    stored = table(tmp_path, "subject,predicate,object\ns,p,007\ns,p,1e3\ns,p,3.10\n")
    assert [key[2] for key in stored] == ["007", "1e3", "3.10"]


WIDE = 'name,born,city,score\nAda,1815,London,0.5\nBob,,"New\tYork",\nCleo,,,\n'


def test_in_a_wide_table_each_other_column_is_a_predicate(tmp_path: Path) -> None:
    content = WIDE.replace("\t", " ")
    assert table(tmp_path, content, "--wide", "--entity", "name", "--columns", "weight=score") == {
        ("Ada", "born", "1815"): (0.5, None),
        ("Ada", "city", "London"): (0.5, None),
        ("Bob", "city", "New York"): (1.0, None),
    }


def test_the_first_column_of_a_wide_table_is_the_entity_and_others_can_be_ignored(tmp_path: Path) -> None:
    content = WIDE.replace("\t", " ").replace(",", "\t").replace('"', "")
    stored = table(tmp_path, content, "--wide", "--ignore", "score,born", name="facts.tsv")
    assert list(stored) == [("Ada", "city", "London"), ("Bob", "city", "New York")]


def test_a_cell_that_is_no_term_is_refused_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "facts.csv", WIDE)
    run = imported(file, wide=True)
    assert run.counts == counts(4, 3, refused=1)
    assert capsys.readouterr().err == f"{file}:3: object must not contain the control character U+0009\n"


def test_a_quoted_cell_reaches_over_lines_where_it_is_metadata(tmp_path: Path) -> None:
    content = 'a,note,b,c\ns,"two\nlines",p,o\nt,,p,"o\n"\nu,"never closed,p,o\nv,,p,o\n'
    file = written(tmp_path / "facts.csv", content)
    run = imported(file, columns=[{"subject": "a", "predicate": "b", "object": "c"}])
    assert run.counts["refused"] == 2 + 1
    assert contents() == {("s", "p", "o"): (1.0, '{"note":"two\\nlines"}'), ("v", "p", "o"): (1.0, None)}


OTHER_HEADERS = [
    # Columns of numbers, of other numbers of columns, and of no predicates.
    "name,alter,stadt\n" + "Ada,36,London\nBob,40,Paris\n",
    "name,city,country,job,age,id\n" + "Ada,London,UK,x,y,z\nBob,Paris,France,x,y,z\n",
    "name,city,country\n" + "".join(f"Person {n},City {n},UK\n" for n in range(10)),
    "source,target,type\nAda,Bob,knows\n",
]


@pytest.mark.parametrize("content", OTHER_HEADERS)
@pytest.mark.parametrize("name", ["facts.csv", "facts.tsv"])
def test_a_header_that_names_none_of_the_columns_is_an_error_that_shows_how_to_map_it(
    tmp_path: Path, content: str, name: str
) -> None:
    file = written(tmp_path / name, content.replace(",", "\t") if name.endswith("tsv") else content)
    run = imported(file)
    assert run.error is not None
    assert "looks like a header with the columns" in str(run.error)
    assert "--columns 'subject=" in str(run.error)
    assert (run.summary["read"], stored_rows()) == (0, {})


def test_the_mapping_that_is_shown_does_it(tmp_path: Path) -> None:
    content = OTHER_HEADERS[-1]
    shown = str(imported(written(tmp_path / "facts.csv", content)).error).split("--columns '")[1].split("'")[0]
    assert list(table(tmp_path, content, "--columns", shown)) == [("Ada", "knows", "Bob")]


@pytest.mark.parametrize(
    "content",
    [
        "Ada,knows,Bob\nBob,knows,Cleo\n" * 10,
        "Ada,born,1815\nBob,born,1900\nBob,age,40\n",
        "".join(f"s{n},p{n % 9},o\n" for n in range(20)),
        "Ada,title,Countess\nAda,age,36\nBob,age,40\n",
    ],
)
def test_facts_without_a_header_are_facts(tmp_path: Path, content: str) -> None:
    assert len(table(tmp_path, content)) == len(set(content.splitlines()))


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--columns", "subject=nobody"], 1, "no column is named 'nobody', for the subject; the columns are source, "),
        (["--columns", "subject=source"], 1, "no column is named 'predicate', for the predicate"),
        (["--columns", f"{COLUMNS},metadata=note", "--ignore", "ids"], 1, "--ignore names 'ids'; the columns are"),
        (["--columns", "subject=source,object=source,predicate=target"], 1, "one column is given for two fields"),
        (["--columns", "source=subject"], None, "must be such as subject=source,"),
        (["--columns", "subject"], None, "must be such as subject=source,"),
        (["--delimiter", "||"], None, "must be one character"),
        (["--entity", "source"], 2, "--entity goes with --wide"),
        (["--wide", "--columns", "object=target"], 2, "--columns can name neither"),
        (["--wide", "--ignore", "*"], 1, "a wide table has at least one column beside the entity"),
        (["--format", "tsv", "--delimiter", ";"], 2, "--delimiter is for CSV"),
        (["--format", "ndjson", "--wide"], 2, "are for tables"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(
    tmp_path: Path, arguments: list[str], code: int | None, reason: str
) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("import_triples", str(written(tmp_path / "f.csv", EDGES)), *arguments, stdout=io.StringIO())
    assert reason in str(caught.value)
    assert code in {None, caught.value.returncode}
    assert stored_rows() == {}


@pytest.mark.parametrize(("good", "is_stopped"), [(499, True), (500, False)])
def test_an_import_that_refuses_most_of_its_first_lines_stops(tmp_path: Path, good: int, is_stopped: bool) -> None:
    content = numbered_facts(good) + "bad\n" * (1_000 - good) + numbered_facts(1_000, start=5_000)
    run = imported(written(tmp_path / "facts.tsv", content))
    if is_stopped:
        assert "Stopped: 501 of the first 1,000 lines were refused, 501 of them with the reason 'has 1 column" in str(
            run.error
        )
        assert stored_rows() == {}
    else:
        assert (run.error, run.counts) == (None, counts(2_000, 1_500, refused=500))


CELLS = st.text(st.sampled_from('ab c"\n\r,;|\té'), max_size=6)


@given(st.lists(st.lists(CELLS, min_size=4, max_size=4), max_size=4), st.sampled_from(",;|\t"))
def test_any_rows_are_read_as_they_were_written(rows: list[list[str]], delimiter: str) -> None:
    """Against Python's own writer; what is no term, or reaches over lines, is refused."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([["w", "x", "y", "z"], *rows])
    options = ReadOptions(
        table=TableOptions({"subject": "w", "predicate": "x", "object": "y"}, delimiter, ignored=("z",))
    )
    stream = cast("io.BufferedReader", io.BufferedReader(io.BytesIO(text.getvalue().encode())))
    facts: list[Any] = []
    refused: list[int] = []
    maker = FactMaker(1.0, UNSCALED)
    for batch in CSV.batches(stream, options=options):
        facts += maker.facts(batch.records, lambda line, _: refused.append(line))
    expected = []
    for row in rows:
        try:
            expected.append(_terms(maker, row))
        except Refused:
            continue
    assert [fact[:3] for fact in facts] == expected
    assert bool(refused) == (len(expected) < len(rows))


def _terms(maker: FactMaker, row: list[str]) -> tuple[str, str, str]:
    if any("\n" in cell for cell in row[:3]):
        raise Refused("lines")
    return maker.fact(Fields(row[0], row[1], row[2], None, None))[:3]
