"""`export_triples` to every format: inferred facts, patterns, ids and times; and what an import makes of it."""

import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from tests.support.database import empty_tables, in_orm
from tests.triples.commands.runs import imported
from tests.triples.commands.test_export_triples import contents, exported
from tests.triples.store.graphs import fact, store
from tests.triples.store.inferred.derived import run_stored
from triples.exchange.formats.registry import FORMATS
from triples.exchange.rdf.prefixes import FILE

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("database")]

RULE = {
    "name": "grandparent",
    "weight": 0.5,
    "head": ["?x", "grandparent_of", "?z"],
    "body": [["?x", "parent_of", "?y"], ["?y", "parent_of", "?z"]],
}
ASSERTED = [fact("Ada", "parent_of", "Bob", 0.5), fact("Bob", "parent_of", "Cleo"), fact("Ada", "age", "36")]
INFERRED = ("Ada", "grandparent_of", "Cleo")


@pytest.fixture
def derived(tmp_path: Path) -> None:
    """A graph with one inferred fact."""
    store(*ASSERTED)
    (tmp_path / "rules.json").write_bytes(orjson.dumps([RULE]))
    call_command("rules", "load", str(tmp_path / "rules.json"), stdout=io.StringIO())
    run_stored()


def lines(tmp_path: Path, **options: Any) -> list[dict[str, Any]]:
    exported(tmp_path / "graph.ndjson", **options)
    return [orjson.loads(line) for line in (tmp_path / "graph.ndjson").read_bytes().splitlines()]


@pytest.mark.usefixtures("derived")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["age", "parent_of", "parent_of"]),
        ({"inferred": "with"}, ["age", "grandparent_of", "parent_of", "parent_of"]),
        ({"inferred": "only"}, ["grandparent_of"]),
        ({"inferred": "only", "subject": "Ada"}, ["grandparent_of"]),
        ({"inferred": "only", "subject": "Bob"}, []),
        ({"inferred": "with", "predicate": "grandparent_of"}, ["grandparent_of"]),
        ({"inferred": "with", "object": "Cleo", "min_weight": 0.9}, ["parent_of"]),
    ],
)
def test_inferred_facts_are_left_out_added_or_alone(
    tmp_path: Path, options: dict[str, Any], expected: list[str]
) -> None:
    found = lines(tmp_path, **options)
    assert sorted(each["predicate"] for each in found) == expected
    assert [each["weight"] for each in found if each["predicate"] == INFERRED[1]] in ([], [0.25])


@pytest.mark.usefixtures("derived")
def test_what_has_lost_its_proof_is_not_exported(tmp_path: Path) -> None:
    call_command("delete_triples", subject="Ada", predicate="parent_of", yes=True, stdout=io.StringIO())
    assert lines(tmp_path, inferred="only") == []


def test_without_a_run_there_are_no_inferred_facts(tmp_path: Path) -> None:
    store(*ASSERTED)
    assert lines(tmp_path, inferred="only") == []
    assert len(lines(tmp_path, inferred="with")) == 3


@pytest.mark.usefixtures("derived")
def test_ids_and_times_are_told_in_tables(tmp_path: Path) -> None:
    for name, delimiter in (("graph.csv", ","), ("graph.tsv", "\t")):
        exported(tmp_path / name, inferred="with", ids=True, times=True)
        with (tmp_path / name).open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=delimiter))
        assert len({row["id"] for row in rows}) == len(rows) == 4
        assert all(row["created_at"].endswith("Z") and row["updated_at"] == "" for row in rows)


@pytest.mark.once
@pytest.mark.usefixtures("derived")
@pytest.mark.parametrize("name", FORMATS)
def test_an_export_of_ids_and_times_is_imported_as_the_same_graph(tmp_path: Path, name: str) -> None:
    before = contents()
    file = tmp_path / f"graph{FORMATS[name].endings[0]}"
    exported(file, ids=True, times=True)
    in_orm(empty_tables)
    options: dict[str, Any] = {"ignore": [["id", "created_at", "updated_at"]]} if FORMATS[name].is_table else {}
    run = imported(file, **options)
    assert (run.error, run.counts["refused"]) == (None, 0)
    assert contents() == before


@pytest.mark.once
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("suffix", ["", ".zst"])
def test_each_format_carries_the_graph(tmp_path: Path, name: str, suffix: str) -> None:
    store(
        fact("Ada", "knows", "Bob", 0.1 + 0.2, '{"a":{"b":[1,1.5,null]},"é":"\\n"}'),
        fact("http://example.org/a", "rdfs:label", '"Ada"@en', 5e-324),
        fact("_:b.x0123456789", "rdf:type", "http://example.org/B", 0.0),
        fact("x", "y", '"5"^^<http://www.w3.org/2001/XMLSchema#integer>', 1.0, '{"graph":"http://example.org/g"}'),
    )
    before = contents()
    file = tmp_path / f"graph{FORMATS[name].endings[0]}{suffix}"
    if FORMATS[name].is_archive and suffix:
        with pytest.raises(CommandError, match="is written as a zip, which is compressed already"):
            exported(file)
        file = file.with_suffix(".zip")
    assert exported(file)["exported"] == 4
    in_orm(empty_tables)
    run = imported(file)
    assert (run.error, run.counts["inserted"]) == (None, 4)
    assert contents() == before


@pytest.mark.once
def test_prefixes_of_files_are_kept_for_later_ones(tmp_path: Path, settings: Any) -> None:
    prefixes = settings.ENV.state_dir / FILE
    # Other tests may have left some.
    prefixes.unlink(missing_ok=True)
    try:
        (tmp_path / "a.ttl").write_text("@prefix kept: <http://kept.org/> . kept:a kept:p 'o' .\n")
        imported(tmp_path / "a.ttl", dry_run=True)
        assert not prefixes.exists()
        imported(tmp_path / "a.ttl")
        (tmp_path / "b.nt").write_text("<http://kept.org/b> <http://kept.org/p> 'o' .\n".replace("'", '"'))
        imported(tmp_path / "b.nt")
        assert sorted(contents()) == [("kept:a", "kept:p", "o"), ("kept:b", "kept:p", "o")]
        exported(tmp_path / "c.nt")
        assert "<http://kept.org/b> <http://kept.org/p>" in (tmp_path / "c.nt").read_text()
    finally:
        prefixes.unlink(missing_ok=True)


@pytest.mark.once
def test_a_style_that_a_format_does_not_have_is_refused(tmp_path: Path) -> None:
    store(*ASSERTED)
    with pytest.raises(CommandError, match="RDF/XML cannot give a fact its weight by graphs; it can by reification"):
        exported(tmp_path / "graph.rdf", weights="graphs")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CommandError, match="--plain leaves it out"):
        exported(tmp_path / "graph.ttl", weights="graphs", plain=True)
