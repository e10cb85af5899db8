"""N-Triples in which what is said of a fact stands right after it: the fast reader makes what the parser makes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.triples.exchange.reading import Read, read, write
from triples.exchange.formats.base import Writing
from triples.exchange.formats.registry import FORMATS
from triples.exchange.rdf import blocks as rdf_blocks
from triples.exchange.rdf import distinct
from triples.exchange.rdf import format as rdf_format
from triples.exchange.rdf.annotated import RDF, REIFIES
from triples.exchange.rdf.blocks import Blocks
from triples.exchange.rdf.writing import RdfWriting, Style
from triples.query.export import StreamedFact

SUBJECTS = ["<http://e.org/a>", "<http://e.org/b>", "_:s", "_:f1", "<rel>", '"a"', "<http://e.org/%>"]
PREDICATES = ["<http://e.org/p>", "<http://e.org/p>", "<urn:skg:weight>", f"<{RDF}subject>", f"<{RDF}type>", "_:p"]
OBJECTS = [
    *SUBJECTS,
    '"a b"@en',
    '"a"@EN',
    '"é\\n"',
    '"\\u00e9"',
    '"5"^^<http://www.w3.org/2001/XMLSchema#integer>',
    '"a"^^<http://www.w3.org/2001/XMLSchema#string>',
    f'"a"^^<{RDF}langString>',
    f'"{"x" * 501}"',
    f"<{RDF}Statement>",
    "<<( <a:a> <b:b> <c:c> )>>",
]
GRAPHS = ["", "", " <http://e.org/g>", " <urn:g>", " _:f1", " _:g", f" _:{'a1' * 16}", ' "g"']
NODES = ["_:f1", "_:f2", "_:f3", "_:f4", "_:s", "<http://e.org/a>"]
SAID = [
    '<urn:skg:weight> "0.5"^^<http://www.w3.org/2001/XMLSchema#decimal>',
    '<urn:skg:weight> "0.25"',
    '<urn:skg:weight> "1.5"',
    "<urn:skg:weight> <http://e.org/a>",
    '<urn:skg:metadata> "{\\"by\\": \\"me\\"}"',
    '<urn:skg:metadata> "[]"',
    '<urn:skg:id> "5"',
    '<urn:skg:metadata> "{\\"n\\": 1}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>',
    "<http://e.org/by> <http://e.org/a>",
]
FACTS = st.tuples(*map(st.sampled_from, (SUBJECTS, PREDICATES, OBJECTS))).map(" ".join)
PLAIN_FACTS = st.tuples(*map(st.sampled_from, (SUBJECTS[:3], PREDICATES[:2], [*OBJECTS[:3], *OBJECTS[7:11]]))).map(
    " ".join
)


@st.composite
def blocks(draw: st.DrawFn, facts: st.SearchStrategy[str]) -> list[str]:
    """Lines of a fact, or of one with a node and what is said of it."""
    fact, graph = draw(facts), draw(st.sampled_from(GRAPHS))
    if draw(st.booleans()):
        return [fact + graph]
    node = draw(st.sampled_from(NODES))
    said = draw(st.lists(st.sampled_from(SAID), min_size=1, max_size=3) | st.just(SAID[:1]))
    if draw(st.booleans()):
        # The node is the name of the fact's graph.
        return [f"{fact} {node}", *(f"{node} {each}" for each in said)]
    parts = fact.split(" ", 2)
    naming = [f"{REIFIES} <<( {fact} )>>"]
    if draw(st.booleans()):
        names = ("subject", "predicate", "object")
        naming = [
            f"<{RDF}type> <{RDF}Statement>",
            *(f"<{RDF}{name}> {part}" for name, part in zip(names, parts, strict=False)),
        ]
    return [fact + graph, *(f"{node} {each}" for each in [*naming, *said])]


def text(lines: list[str]) -> str:
    return "".join(f"{line} .\n" for line in lines)


# Most are blocks of different facts with nodes of their own.
FILES = st.one_of(
    st.lists(blocks(PLAIN_FACTS), max_size=6).map(lambda them: [line for lines in them for line in lines]),
    st.lists(blocks(FACTS), max_size=6).map(lambda them: [line for lines in them for line in lines]),
    st.lists(blocks(FACTS), max_size=4).flatmap(
        lambda them: st.permutations([line for lines in them for line in lines])
    ),
)
ODD = st.sampled_from(["", "", "", "# c\n", "\n", "bad .\n", "<a:a> <b:b> <c:c> <g:g> .\n", "<a:a>\t<b:b> <c:c> .\n"])


def read_slowly(name: str, content: str, most: int, start: int = 0) -> Read:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blocks, "are_apart", lambda _: False)
        return read(FORMATS[name], content, most=most, start=(0, start))


@given(
    st.sampled_from(["ntriples", "nquads", "trig"]),
    FILES,
    ODD,
    st.integers(0, 8),
    st.sampled_from([1, 2, 100]),
    st.sampled_from([1, 100, 1 << 20]),
    st.booleans(),
)
def test_blocks_make_the_same_facts(
    name: str, lines: list[str], odd: str, place: int, most: int, span: int, is_ended: bool
) -> None:
    content = text(lines[:place]) + odd + text(lines[place:])
    content = content if is_ended else content.removesuffix("\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rdf_blocks, "_SPAN_BYTES", span)
        fast = read(FORMATS[name], content, most=most)
        slow = read_slowly(name, content, most)
        assert (fast.facts, sorted(fast.refused)) == (slow.facts, sorted(slow.refused))
        # And from each place, the rest is the same.
        done = 0
        for part in fast.parts:
            done += len(part.facts)
            rest = read(FORMATS[name], content, most=most, start=(part.last_line, part.end))
            assert part.end == 0 or rest.facts == slow.facts[done:]


WEIGHED = [
    f'<a:{number}> <b:b> "c" .\n_:f{number} {REIFIES} <<( <a:{number}> <b:b> "c" )>> .\n_:f{number} '
    for number in range(3)
]


def test_blocks_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdf_format, "RdfReader", None)
    content = "".join(f'{block}<urn:skg:weight> "0.5" .\n' for block in WEIGHED)
    facts, _, parts = read(FORMATS["ntriples"], content, most=2)
    assert [(fact.subject, fact.weight) for fact in facts] == [(f"<a:{number}>", 0.5) for number in range(3)]
    assert [(part.last_line, part.end) for part in parts] == [(0, 2), (6, 3)]


def test_named_graphs_are_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdf_format, "RdfReader", None)
    weight, metadata = '<urn:skg:weight> "0.5" .\n', '<urn:skg:metadata> "{\\"graph\\": \\"own\\", \\"n\\": 1}" .\n'
    content = "".join(
        [
            f"<a:1> <b:b> <c:c> <urn:g> .\n_:f1 {REIFIES} <<( <a:1> <b:b> <c:c> )>> .\n_:f1 {weight}",
            '<a:2> <b:b> "<c:c> <d:d>"@en <urn:g> .\n',
            f"<a:3> <b:b> <c:c> _:f3 .\n_:f3 {weight}_:f3 {metadata}",
            f"<a:4> <b:b> <c:c> <urn:g> .\n_:f4 {REIFIES} <<( <a:4> <b:b> <c:c> )>> .\n_:f4 {metadata}",
        ]
    )
    facts, refused, _ = read(FORMATS["nquads"], content)
    assert [fact[3:5] for fact in facts] == [
        (0.5, '{"graph":"urn:g"}'),
        (1.0, '{"graph":"urn:g"}'),
        (0.5, '{"graph":"own","n":1}'),
        (1.0, '{"graph":"own","n":1}'),
    ]
    assert not refused


@pytest.mark.parametrize(
    ("name", "style"),
    [("nquads", style) for style in (Style.ANNOTATIONS, Style.REIFICATION, Style.GRAPHS)]
    + [("trig", style) for style in (Style.REIFICATION, Style.GRAPHS)],
)
def test_exports_of_graphs_are_read_in_blocks(name: str, style: Style, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [
        StreamedFact(f"http://e.org/{number}", "http://e.org/p", "a <b>", weight, f'{{"graph":"http://e.org/g"{more}}}')
        for number, (weight, more) in enumerate([(0.5, ""), (1.0, ""), (1.0, ',"n":1'), (0.25, ',"n":1')])
    ]
    content = write(FORMATS[name], facts, Writing(rdf=RdfWriting(style)))
    monkeypatch.setattr(rdf_format, "RdfReader", None)
    found, refused, _ = read(FORMATS[name], content, most=3)
    assert (found, refused) == (facts, [])


@pytest.mark.parametrize(
    "further",
    [
        # A further node, and a further weight, of a fact or a node that stand far away.
        f'_:g {REIFIES} <<( <a:0> <b:b> "c" )>> .\n_:g <urn:skg:weight> "0.75" .\n',
        f'<r:r> {REIFIES} <<( <a:0> <b:b> "c" )>> .\n<r:r> <urn:skg:weight> "0.75" .\n',
        '_:f0 <urn:skg:weight> "0.75" .\n',
        f'<d:d> <b:b> <c:c> .\n_:f0 {REIFIES} <<( <d:d> <b:b> <c:c> )>> .\n_:f0 <urn:skg:weight> "0.75" .\n',
        f'<a:0> <b:b> "\\u0063" .\n_:g {REIFIES} <<( <a:0> <b:b> "c" )>> .\n_:g <urn:skg:weight> "0.75" .\n',
        f'<a:0> <b:b> "c" .\n_:g {REIFIES} <<( <a:0> <b:b> "c" )>> .\n_:g <urn:skg:weight> "0.75" .\n',
    ],
)
def test_what_is_said_far_away_is_not_lost(further: str) -> None:
    content = "".join(f'{block}<urn:skg:weight> "0.5" .\n' for block in WEIGHED)
    for whole in (content + further, further + content):
        facts = read(FORMATS["ntriples"], whole, most=2).facts
        assert {fact.weight for fact in facts if fact.subject == "<a:0>"} == {0.75}


@example([], [])
@given(st.lists(st.integers(0, 30)), st.lists(st.integers(20, 50)))
def test_what_is_distinct(texts: list[int], others: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch, distinct.Hashes() as ours, distinct.Hashes() as theirs:
        patch.setattr(distinct, "_AT_ONCE", 4)
        ours.add(map(str, texts))
        theirs.add(map(str, others))
        assert distinct.are_distinct(ours) == (len(set(texts)) == len(texts))
        assert distinct.are_distinct(ours, theirs) == (len({*texts}) == len(texts) and not {*texts} & {*others})


@pytest.mark.parametrize("name", ["jsonld", "rdfxml", "trig", "nquads"])
@pytest.mark.parametrize("span", [200, 1 << 20])
def test_exports_of_other_formats_are_read_in_blocks(name: str, span: int, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [
        StreamedFact(f"http://e.org/{number}", "http://e.org/p", "a b", weight, metadata)
        for number, (weight, metadata) in enumerate(
            [(0.5, None), (1.0, None), (0.25, '{"n":1}'), (1.0, '{"n":[2]}')] * 3
        )
    ]
    content = write(FORMATS[name], facts, Writing())
    monkeypatch.setattr(rdf_blocks, "_SPAN_BYTES", span)
    monkeypatch.setattr(rdf_format, "RdfReader", None)
    found, refused, parts = read(FORMATS[name], content, most=5)
    assert (found, refused) == (facts, [])
    assert [part.end for part in parts][-1] == len(facts)
