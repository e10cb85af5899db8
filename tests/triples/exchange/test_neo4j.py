"""Neo4j's CSV as facts and back: rows of nodes and of relationships, in files of their own or in one."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.triples.commands.runs import counts, imported
from tests.triples.exchange.reading import write
from tests.triples.exchange.test_round_trip import ODD_TEXTS, facts
from tests.triples.store.graphs import stored_rows
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.formats.base import PLAIN, Reading
from triples.exchange.formats.registry import FORMATS, format_at
from triples.exchange.graphs.nodes import Nodes
from triples.exchange.lines import Refused
from triples.exchange.tables import BadBeginning
from triples.query.export import StreamedFact

NEO4J = FORMATS["neo4j"]


def read_all(
    *contents: str | bytes, start: tuple[int, int] = (0, 0)
) -> tuple[list[StreamedFact], list[tuple[int, str]], list[tuple[int, int]]]:
    """The facts of files, the refused lines, and the places after the parts. `start` is a place in each."""
    refused: list[tuple[int, str]] = []

    def refuse(line: int, reason: Refused) -> None:
        refused.append((line, str(reason)))

    with Nodes() as nodes:
        reading = Reading(FactMaker(1.0, UNSCALED), refuse, lambda: 2, nodes=nodes)
        files = [content.encode() if isinstance(content, str) else content for content in contents]
        for file in files:
            NEO4J.prepare(io.BufferedReader(io.BytesIO(file)), nodes)
        parts = [part for file in files for part in NEO4J.parts(io.BufferedReader(io.BytesIO(file)), reading, *start)]
        found = [StreamedFact(*fact[:5]) for part in parts for fact in part.facts]
    return found, refused, [(part.last_line, part.end) for part in parts]


def members(content: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist()]


@given(st.lists(facts, max_size=5))
@example([StreamedFact(text, text, text, 1.0, None) for text in ODD_TEXTS])
@example([StreamedFact("name", "type", ":ID", 5e-324, '{"weight":2,"name":"x"}')])
def test_any_facts_come_back_as_they_are(exported: Sequence[StreamedFact]) -> None:
    relationships, nodes = members(write(NEO4J, exported, PLAIN))
    found, refused, places = read_all(nodes, relationships)
    assert refused == []
    assert repr(found) == repr(list(exported))
    assert places[: len(read_all(nodes)[2])] == read_all(nodes)[2]
    for place in read_all(relationships)[2]:
        rest = read_all(relationships, start=place)[0]
        assert rest == found[len(found) - len(rest) :]


PEOPLE = """personId:ID(Person),name,born:int,alias:string[],:LABEL,note:IGNORE
1,Ada,1815,A;Countess,Person;Author,x
2,,,,,
"""
PLACES = ":ID(Place),label\n1,London\n"
LIVES = """:START_ID(Person),:END_ID(Place),:TYPE,weight:double,since:int,sure:boolean,of:string[]
1,1,LIVES_IN,0.5,1815,true,a;b
2,1,,,,,
"""
LIVES_FACTS = [
    StreamedFact("Ada", "LIVES_IN", "London", 0.5, '{"since":1815,"sure":true,"of":["a","b"]}'),
    StreamedFact("Person:2", "edge", "London", 1.0, None),
]


def test_nodes_of_spaces_with_names_types_and_arrays() -> None:
    found, refused, _ = read_all(PEOPLE, PLACES, LIVES)
    assert refused == []
    assert [fact[:3] for fact in found[:-2]] == [
        ("Ada", "personId", "1"),
        ("Ada", "born", "1815"),
        ("Ada", "alias", "A"),
        ("Ada", "alias", "Countess"),
        ("Ada", "type", "Person"),
        ("Ada", "type", "Author"),
        ("Person:2", "personId", "2"),
    ]
    assert found[-2:] == LIVES_FACTS


def test_what_apoc_writes_into_one_file() -> None:
    content = """"_id","_labels","name","_start","_end","_type","since"
"0",":Person","Ada",,,,
"1","","Bob",,,,
,,,"0","1","KNOWS","1833"
"""
    assert read_all(content)[0] == [
        StreamedFact("Ada", "type", "Person", 1.0, None),
        StreamedFact("Ada", "KNOWS", "Bob", 1.0, '{"since":"1833"}'),
    ]


def test_what_is_no_fact_is_refused_with_its_line() -> None:
    content = ":START_ID;:END_ID;weight\na;;\n;b;\na;b;x\na;b\na;b;0.5\n"
    found, refused, _ = read_all(content)
    assert found == [StreamedFact("a", "edge", "b", 0.5, None)]
    assert [line for line, _ in refused] == [2, 3, 4, 5]
    assert [reason for _, reason in refused][:2] == [
        "the relationship has no :END_ID",
        "the relationship has no :START_ID",
    ]
    assert read_all("x:ID,name\n,Ada\n")[1] == [(2, "the node has no :ID")]


@pytest.mark.parametrize("header", ["a,b,c", ":START_ID,:TYPE", ":ID,:ID", "\x00", ":END_ID"])
def test_a_header_of_neither_nodes_nor_relationships_stops(header: str) -> None:
    with pytest.raises(BadBeginning):
        read_all(f"{header}\na,b,c\n")


def test_the_first_line_shows_the_format() -> None:
    for content in (PEOPLE, PLACES, LIVES, LIVES.replace(",", ";")):
        assert format_at(content.encode()) is NEO4J
    for row in ("subject,predicate,object", "ex:ID,rdf:type,ex:Class", "ex:ID,rdf:range,xsd:string", "a,b,:ID(c", ""):
        assert format_at(f"{row}\na,b,c\n".encode()) is not NEO4J


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("is_zip", [False, True])
def test_relationships_know_the_nodes_of_other_files(tmp_path: Path, is_zip: bool) -> None:
    files = {"lives.csv": LIVES, "people.csv": PEOPLE, "places.csv": PLACES}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    if is_zip:
        with zipfile.ZipFile(tmp_path / "graph.zip", "w") as archive:
            for name in files:
                archive.write(tmp_path / name, name)
    names = ["graph.zip"] if is_zip else list(files)
    run = imported(*(tmp_path / name for name in names))
    assert (run.error, run.counts) == (None, counts(9, 9))
    assert {fact[:3] for fact in LIVES_FACTS} <= set(stored_rows())
