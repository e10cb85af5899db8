"""Files of RDF as facts: terms, graphs, weights and metadata, and lines that are refused."""

# ruff: noqa: E501  # a document is easier to read as one line

import pytest

from tests.triples.exchange.reading import read
from triples.exchange.formats.base import ReadOptions
from triples.exchange.formats.registry import FORMATS, format_at
from triples.exchange.rdf.options import PrefixStore, RdfOptions

PREFIXES = "@prefix e: <http://e.org/> . @prefix skg: <urn:skg:> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
NT = "<http://e.org/{}> <http://e.org/{}> <http://e.org/{}> .\n"
REIFIES = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies>"
A = ("e:a", "e:p", "e:b")
METADATA = ReadOptions(rdf=RdfOptions(metadata=True))


def found(
    format_: str, content: str, options: ReadOptions | None = None
) -> dict[tuple[str, str, str], tuple[float, str | None]]:
    """The facts of a file of which nothing is refused, with their weights and metadata."""
    facts, refused, _ = read(FORMATS[format_], content, options or ReadOptions())
    assert refused == []
    assert len(facts) == len({fact[:3] for fact in facts})
    return {fact[:3]: (fact.weight, fact.metadata) for fact in facts}


WEIGHED = [
    # Annotations of RDF 1.2, right after the fact.
    ("turtle", "e:a e:p e:b {| skg:weight 0.5 |} ."),
    ("turtle", "e:a e:p e:b {| skg:weight 0.2 |} {| skg:weight 0.5 |} {| skg:weight 0.1 |} ."),
    ("turtle", "e:a e:p e:b {| skg:weight 0.2 ; skg:weight 0.5 |} ."),
    ("turtle", 'e:a e:p e:b {| skg:weight "0.5" |} .'),
    ("turtle", "e:a e:p e:b ~ e:r {| skg:weight 5e-1 |} ."),
    ("trig", "e:a e:p e:b {| skg:weight 0.5 |} ."),
    # Reifiers that stand before or after their triples.
    ("turtle", "e:r rdf:reifies <<( e:a e:p e:b )>> . e:a e:p e:b . e:r skg:weight 0.5 ."),
    ("turtle", "<< e:a e:p e:b ~ _:r >> skg:weight 0.5 . e:a e:p e:b ."),
    ("turtle", "_:x skg:weight 0.1 . e:a e:p e:b . _:x rdf:reifies <<( e:a e:p e:b )>> . _:x skg:weight 0.5 ."),
    # Reification of RDF 1.1.
    (
        "turtle",
        "[] a rdf:Statement ; rdf:subject e:a ; rdf:predicate e:p ; rdf:object e:b ; skg:weight 0.5 . e:a e:p e:b .",
    ),
    ("turtle", "e:a e:p e:b . e:s skg:weight 0.5 ; rdf:subject e:a ; rdf:object e:b ; rdf:predicate e:p ."),
    # A graph for each fact.
    ("trig", "_:g { e:a e:p e:b } _:g skg:weight 0.5 ."),
    ("trig", "_:g skg:weight 0.5 . _:g { e:a e:p e:b }"),
]


@pytest.mark.parametrize(("format_", "content"), WEIGHED)
def test_a_fact_has_the_greatest_weight_that_is_said_of_it(format_: str, content: str) -> None:
    assert found(format_, PREFIXES + content) == {A: (0.5, None)}


def test_lines_and_xml_and_json_have_weights_too() -> None:
    weight = '<urn:skg:weight> "0.5"'
    fact = NT.format("a", "p", "b")
    by_lines = f"{fact}_:r {REIFIES} <<( {fact[:-3]} )>> .\n_:r {weight} .\n"
    full = {tuple(f"http://e.org/{name}" for name in "apb"): (0.5, None)}
    assert found("ntriples", by_lines) == found("nquads", by_lines) == full
    assert found("nquads", f"{fact[:-2]}_:g .\n_:g {weight} .\n") == full
    xml = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/" xmlns:skg="urn:skg:">
    <rdf:Description rdf:about="http://e.org/a"><e:p rdf:ID="r" rdf:resource="http://e.org/b"/></rdf:Description>
    <rdf:Description rdf:about="http://base/#r"><skg:weight>0.5</skg:weight></rdf:Description></rdf:RDF>"""
    assert found("rdfxml", xml, ReadOptions(rdf=RdfOptions(base="http://base/"))) == {A: (0.5, None)}
    json = '{"@context": {"skg": "urn:skg:"}, "@id": "_:g", "skg:weight": 0.5, "@graph": {"@id": "http://e.org/a", "http://e.org/p": {"@id": "http://e.org/b"}}}'
    assert found("jsonld", json) == full


def test_the_property_of_weights_can_be_named() -> None:
    options = ReadOptions(rdf=RdfOptions(("http://e.org/certainty", "http://e.org/score")))
    content = "e:a e:p e:b {| e:score 0.25 ; e:certainty 0.5 |} . e:a e:p e:c {| e:score 0.125 |} ."
    assert found("turtle", PREFIXES + content, options) == {A: (0.5, None), ("e:a", "e:p", "e:c"): (0.125, None)}


def test_what_else_is_said_of_a_fact_is_metadata_if_wanted() -> None:
    content = PREFIXES + 'e:a e:p e:b {| skg:weight 0.5 ; e:by e:x, "y"@en ; e:in "z" |} .'
    metadata = '{"e:by":["e:x","\\"y\\"@en"],"e:in":"z"}'
    assert found("turtle", content, METADATA) == {A: (0.5, metadata)}
    apart = (
        PREFIXES + 'e:r e:by e:x, "y"@en ; e:in "z" ; rdf:reifies <<( e:a e:p e:b )>> ; skg:weight 0.5 . e:a e:p e:b .'
    )
    assert found("turtle", apart, METADATA) == {A: (0.5, metadata)}
    kept = '{"k":[1.0,{}]}'
    said = PREFIXES + f"e:a e:p e:b {{| skg:metadata '{kept}'^^rdf:JSON |}} ."
    assert found("turtle", said) == {A: (1.0, kept)}


@pytest.mark.parametrize("before", ["", "<< e:x e:y e:z >> skg:weight 0.1 ."])
def test_what_else_is_said_of_a_fact_is_a_fact_if_not(before: str) -> None:
    """Nothing is lost: neither what is said, nor of what."""
    facts = found("turtle", PREFIXES + before + "e:a e:p e:b {| skg:weight 0.5 ; e:by [ e:is e:x ] |} .")
    assert facts[A] == (0.5, None)
    [(node, _, other)] = [key for key in facts if key[1] == "e:by"]
    assert (node, "rdf:reifies", "<<( <http://e.org/a> <http://e.org/p> <http://e.org/b> )>>") in facts
    assert (other, "e:is", "e:x") in facts


def test_what_is_said_of_a_triple_that_is_no_fact_stays_as_it_is() -> None:
    facts = found("turtle", PREFIXES + "e:r rdf:reifies <<( e:a e:p e:b )>> ; skg:weight 0.5 .")
    assert set(facts) == {
        ("e:r", "rdf:reifies", "<<( <http://e.org/a> <http://e.org/p> <http://e.org/b> )>>"),
        ("e:r", "skg:weight", '"0.5"^^<http://www.w3.org/2001/XMLSchema#decimal>'),
    }


@pytest.mark.parametrize(
    "content",
    ["e:a e:p e:b {| skg:weight 2 |} .", "e:r rdf:reifies <<( e:a e:p e:b )>> ; skg:weight e:x . e:a e:p e:b ."],
)
def test_a_weight_that_is_none_refuses_the_fact_with_its_line(content: str) -> None:
    facts, refused, _ = read(FORMATS["turtle"], f"{PREFIXES}e:x e:p e:y .\n{content}\n")
    assert [fact.subject for fact in facts] == ["e:x"]
    assert [line for line, _ in refused] == [3]
    assert refused[0][1].startswith("weight must be ")


def test_a_named_graph_is_metadata_or_refused() -> None:
    content = NT.format("a", "p", "b")[:-2] + "<http://e.org/g> .\n" + NT.format("c", "p", "d")
    facts = found("nquads", content)
    assert list(facts.values()) == [(1.0, '{"graph":"http://e.org/g"}'), (1.0, None)]
    facts_, refused, _ = read(FORMATS["nquads"], content, ReadOptions(rdf=RdfOptions(refuses_graphs=True)))
    assert ([fact.subject for fact in facts_], refused) == (
        ["http://e.org/c"],
        [(1, "is in the named graph http://e.org/g")],
    )


def test_a_line_that_is_no_fact_is_refused_and_the_rest_is_read() -> None:
    content = (
        NT.format("a", "p", "b") + "bad\n\n# a comment\n" + NT.format("c", "p", "x" * 600) + NT.format("d", "p", "e")
    )
    facts, refused, _ = read(FORMATS["ntriples"], content)
    assert [fact.subject for fact in facts] == ["http://e.org/a", "http://e.org/d"]
    assert [line for line, _ in refused] == [2, 5]
    assert refused[0][1] == "cannot be read: The subject of a triple must be an IRI or a blank node"
    assert refused[1][1].startswith("object must have at most 500 characters, not 6")
    turtle, refused, _ = read(FORMATS["turtle"], PREFIXES + "e:a e:p e:b .\nx:a e:p e:b .\ne:c e:p e:d .\n")
    assert [fact.subject for fact in turtle] == ["e:a", "e:c"]
    assert refused == [(3, "cannot be read: The prefix x: has not been declared")]


@pytest.mark.parametrize("most", [1, 2, 1_000])
@pytest.mark.parametrize(
    ("format_", "bad"), [("ntriples", "{}{}{}, <http://e.org/x> .\n"), ("turtle", "e:x e:p 123abc .\n")]
)
def test_nothing_of_a_line_that_cannot_be_read_is_a_fact(format_: str, bad: str, most: int) -> None:
    """The parser has a fact of it before it comes to the fault."""
    bad = bad.format("<http://e.org/x> ", "<http://e.org/p> ", "<http://e.org/y>")
    head = PREFIXES if format_ == "turtle" else ""
    content = f"{head}{NT.format('a', 'p', 'b')}{bad}{NT.format('c', 'p', 'd')}"
    facts, refused, _ = read(FORMATS[format_], content, most=most)
    assert [fact.object.rpartition("/")[2].removeprefix("e:") for fact in facts] == ["b", "d"]
    assert {line for line, _ in refused} == {2 + bool(head)}


@pytest.mark.parametrize("after", ["", "<< e:a e:p e:b ~ e:r >> skg:weight 0.5 .\n"])
def test_a_literal_that_is_none_refuses_its_line_with_what_is_said_of_it(after: str) -> None:
    bad = 'e:x e:p "a"^^rdf:langString {| e:by e:c |} .'
    facts, refused, _ = read(FORMATS["turtle"], f"{PREFIXES}e:a e:p e:b .\n{bad}\n{after}")
    assert [fact[:3] for fact in facts] == [A]
    assert {line for line, _ in refused} == {3}


def test_blank_nodes_of_two_files_differ_and_of_one_do_not() -> None:
    one, two = PREFIXES + "_:b e:p [ e:q 1 ] .", PREFIXES + "_:b e:p [ e:q 2 ] ."
    assert found("turtle", one) == found("turtle", one)
    assert not {fact[0] for fact in found("turtle", one)} & {fact[0] for fact in found("turtle", two)}


def test_a_prefix_is_taken_only_if_no_iri_gets_a_second_text() -> None:
    said: list[str] = []
    store = PrefixStore({"f": "http://f.org/"}, is_used=lambda iri: iri == "http://used.org/", say=said.append)
    content = "@prefix used: <http://used.org/> . @prefix f: <http://other.org/> . @prefix e: <http://e.org/> . @prefix g: <http://f.org/> .\n"
    facts, _, _ = read(FORMATS["turtle"], content + "e:a used:p f:b . g:a g:b g:c .", prefixes=store)
    assert [fact[:3] for fact in facts] == [("e:a", "http://used.org/p", "http://other.org/b"), ("f:a", "f:b", "f:c")]
    assert len(said) == 1
    assert said[0].startswith("The prefix f, used of the file is not used")


BEGINNINGS = {
    "turtle": "# x\n@prefix e: <http://e.org/> .\n",
    "ntriples": '<http://e.org/a> <http://e.org/b> "c" .\n',
    "rdfxml": '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="…">',
    "jsonld": '[{"@id": "http://e.org/"}]',
    "ndjson": '{"subject": "s", "predicate": "p", "object": "o"}',
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_the_first_bytes_show_the_format(name: str) -> None:
    assert format_at(BEGINNINGS[name].encode()) is FORMATS[name]


def test_terms_with_more_space_between_them_are_read() -> None:
    assert [fact[:3] for fact in read(FORMATS["ntriples"], "<a:a>  <a:b>   <a:c> .\n").facts] == [
        ("<a:a>", "<a:b>", "<a:c>")
    ]


# Each is left out by a parser that does as JSON-LD says, and the fact with the object "x" is not.
NO_TERMS = [
    '{"@id": "http://a/b c", "p:p": "lost"}',
    '{"@id": "relative", "p:p": "lost"}',
    '{"@id": "a:a", "p:p p": "lost"}',
    '{"@id": "a:a", "unmapped": "lost"}',
    '{"@id": "a:a", "_:p": "lost"}',
    '{"@id": "a:a", "p:p": {"@id": "http://o/<o>"}}',
    '{"@id": "a:a", "p:p": {"@value": "lost", "@language": "e n"}}',
    '{"@id": "a:a", "p:p": {"@value": "lost", "@type": "no iri"}}',
    '{"@id": "a:a", "@type": "http://c/ c"}',
    '{"@id": "_:b c", "p:p": "lost"}',
    '{"@id": "http://g/ g", "@graph": [{"@id": "a:a", "p:p": "lost"}]}',
]


@pytest.mark.parametrize("weight", ["", ', "urn:skg:weight": "0.5"'])
@pytest.mark.parametrize("node", NO_TERMS)
def test_what_json_ld_cannot_say_is_refused(node: str, weight: str) -> None:
    kept = f'{{"@id": "b:b", "p:p": "x"{weight}}}'
    facts, refused, _ = read(FORMATS["jsonld"], f"[{node},\n{kept}]")
    assert [fact.object for fact in facts][:1] == ["x"]
    assert not any("lost" in fact.object for fact in facts)
    [(_, reason)] = refused
    assert "is no term of RDF" in reason


@pytest.mark.parametrize("format_", ["ntriples", "nquads", "turtle", "trig"])
def test_a_byte_order_mark_is_no_part_of_the_first_fact(format_: str) -> None:
    facts = NT.format("a", "p", "b") + NT.format("c", "p", "d")
    weighed = f"{facts}_:r {REIFIES} <<( {NT.format('a', 'p', 'b')[:-3]} )>> .\n_:r <urn:skg:weight> '0.5' .\n".replace(
        "'", '"'
    )
    for content in (facts, weighed):
        assert found(format_, "\ufeff" + content) == found(format_, content)
    marked = read(FORMATS[format_], "\ufeff" + NT.format("a", "p", "b") + "bad\n")
    assert {line for line, _ in marked.refused} == {2}


def test_a_context_that_is_named_by_its_address_is_refused_with_what_to_do() -> None:
    content = '{"@context": "https://schema.org/", "@id": "http://e.org/a", "http://e.org/p": "b"}'
    _, [(line, reason), *_], _ = read(FORMATS["jsonld"], content)
    assert (line, "write the context into the file" in reason) == (1, True)
