"""GraphML as facts and back: names of nodes, what keys say, and what is refused."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.triples.exchange.reading import read, read_until_fault, write
from tests.triples.exchange.test_round_trip import ODD_TEXTS, facts
from triples.exchange.formats.base import PLAIN, Unwritable
from triples.exchange.formats.registry import FORMATS, format_at, format_of
from triples.exchange.lines import InputError
from triples.query.export import StreamedFact

GRAPHML = FORMATS["graphml"]
KEYS = """<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="d0" for="node" attr.name="name" attr.type="string"/>
<key id="d1" for="edge" attr.name="label" attr.type="string"/><key id="d2" for="edge" attr.name="weight"/>
<key id="d3" for="edge" attr.name="since" attr.type="int"/><key id="d4" for="node" attr.name="born" attr.type="int"/>
<graph edgedefault="directed">
"""
NAMED = '<node id="a"><data key="d0">Ada</data><data key="d4">1815</data></node><node id="b"/>\n'
EDGE = (
    '<edge source="a" target="b"><data key="d1">knows</data><data key="d2">0.5</data><data key="d3">1833</data></edge>'
)
KNOWS = StreamedFact("Ada", "knows", "b", 0.5, '{"since":1833}')
BORN = StreamedFact("Ada", "born", "1815", 1.0, None)
END = "</graph></graphml>"


@given(st.lists(facts, max_size=5))
@example([StreamedFact(text, text, text, 1.0, None) for text in ODD_TEXTS])
@example([StreamedFact("s", "label", "o", 5e-324, '{"weight":2,"directed":false,"metadata":{},"id":"\ufffe"}')])
def test_any_facts_come_back_as_they_are(exported: list[StreamedFact]) -> None:
    try:
        content = write(GRAPHML, exported, PLAIN)
    except Unwritable:
        assume(False)
    found = read(GRAPHML, content)
    assert found.refused == []
    assert [fact[:4] for fact in found.facts] == [fact[:4] for fact in exported]
    texts = [(fact.metadata or "").replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff") for fact in exported]
    assert [
        (fact.metadata or "").replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff") for fact in found.facts
    ] == texts
    for part in found.parts:
        rest = read(GRAPHML, content, start=(part.last_line, part.end)).facts
        assert rest == found.facts[len(found.facts) - len(rest) :]


@pytest.mark.parametrize("content", [NAMED + EDGE, EDGE + NAMED])
def test_nodes_have_names_and_edges_what_is_said_of_them(content: str) -> None:
    found = read(GRAPHML, KEYS + content + END)
    assert (sorted(found.facts), found.refused) == (sorted([BORN, KNOWS]), [])


def test_a_name_of_two_nodes_or_of_another_id_names_none() -> None:
    nodes = "".join(f'<node id="{id_}"><data key="d0">{name}</data></node>' for id_, name in ("xX", "yX", "zw", "wv"))
    edges = "".join(f'<edge source="{id_}" target="{id_}"/>' for id_ in "xyzw")
    found = [fact[:3] for fact in read(GRAPHML, KEYS + nodes + edges + END).facts]
    assert found[:3] == [("x", "name", "X"), ("y", "name", "X"), ("z", "name", "w")]
    assert found[3:] == [(id_, "edge", id_) for id_ in ("x", "y", "z", "v")]


def test_files_of_other_programs_are_understood() -> None:
    content = """<graphml xmlns:y="urn:y"><key id="n" for="node" yfiles.type="nodegraphics"/>
    <key id="w" for="edge" attr.name="weight" attr.type="double"><default>0.25</default></key>
    <graph edgedefault="undirected">
    <node id="n0"><data key="n"><y:ShapeNode><y:NodeLabel>Ada</y:NodeLabel></y:ShapeNode></data>
    <graph><node id="n0::n0"/></graph></node>
    <edge source="n0" target="n0::n0" label="KNOWS"/>
    <edge source="n0" target="n1" directed="true"/></graph></graphml>"""
    assert read(GRAPHML, content).facts == [
        StreamedFact("Ada", "KNOWS", "n0::n0", 0.25, '{"directed":false}'),
        StreamedFact("Ada", "edge", "n1", 0.25, None),
    ]


def test_what_is_no_fact_is_refused_with_its_line() -> None:
    bad = ['<edge source="a"/>', '<edge target="a"/>', "<node/>", "<hyperedge/>", EDGE.replace("0.5", "x"), EDGE]
    long = f'<edge source="a" target="b"><data key="d1">{"x" * 1_100_000}</data></edge>'
    found = read(GRAPHML, KEYS + NAMED + "\n".join([*bad, long]) + END)
    assert found.facts == [BORN, KNOWS]
    assert [line for line, _ in found.refused] == [7, 8, 9, 10, 11, 13]
    assert [reason for _, reason in found.refused][:4] == [
        "the edge has no target",
        "the edge has no source",
        "the node has no id",
        "a hyperedge has any number of ends, a fact has two",
    ]


LAUGHS = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>'
FAULTS = {
    "is no XML from here on: ": KEYS + NAMED + EDGE + "</edge>",
    "is no XML from here on: no element found": KEYS + NAMED + EDGE,
    "declares the entity 'lol'": LAUGHS + "<graphml>&lol2;</graphml>",
    "elements are nested more than": KEYS + NAMED + EDGE + "<graph>" * 200,
    "a tag is longer than": KEYS + NAMED + EDGE + f'<node id="{"x" * 1_200_000}"/>' + END,
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_fault_stops_after_the_facts_before_it(reason: str) -> None:
    facts_, error = read_until_fault(GRAPHML, FAULTS[reason])
    assert isinstance(error, InputError)
    assert str(error).startswith(reason)
    assert facts_ == ([] if "entity" in reason else [BORN, KNOWS])


def test_no_other_file_is_read() -> None:
    content = '<!DOCTYPE graphml SYSTEM "file:///etc/passwd">' + KEYS.partition("\n")[2] + NAMED + EDGE + END
    assert read(GRAPHML, content).facts == [BORN, KNOWS]


def test_names_and_first_bytes_show_the_format() -> None:
    assert format_of("graph.graphml.gz") is GRAPHML
    assert format_at(KEYS.encode()) is GRAPHML
