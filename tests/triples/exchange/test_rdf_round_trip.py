"""What is exported as RDF and imported again is the same, in every format and every style."""

# ruff: noqa: E501  # a document is easier to read as one line

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.triples.exchange.reading import read, write
from tests.triples.exchange.test_round_trip import ODD_TEXTS, facts
from triples.exchange.formats.base import Unwritable, Writing
from triples.exchange.formats.registry import FORMATS
from triples.exchange.rdf.format import RdfFileFormat
from triples.exchange.rdf.options import PrefixStore
from triples.exchange.rdf.prefixes import Prefixes
from triples.exchange.rdf.writing import RdfWriting, Style
from triples.query.export import StreamedFact

RDF_FORMATS = [each for each in FORMATS.values() if isinstance(each, RdfFileFormat)]
STYLES = [(each, style) for each in RDF_FORMATS for style in each.styles if style is not Style.PLAIN]
PREFIXES = {"ex": "http://example.org/", "odd": "http://example.org/a_"}
NODES = ["ex:a", "odd:b", "http://example.org/ex:a", "<unusual:a>", "_:b.x0123456789", '"a"@en', '"5"^^<a:b>', "<a>"]


@pytest.mark.parametrize(("format_", "style"), STYLES)
@given(st.lists(facts, max_size=5, unique_by=lambda fact: fact[:3]))
@example([StreamedFact(text, text, text, 0.5, None) for text in ODD_TEXTS if "\U0010ffff" not in text])
@example([StreamedFact(text, "ex:p", text, 1.0, None) for text in NODES])
@example([StreamedFact("ex:a", "ex:p", text, 0.25, '{"a":1}') for text in NODES])
@example(
    [StreamedFact("s", "p", "o", 1.0, '{"graph":"ex:g"}'), StreamedFact("s", "p", "q", 0.5, '{"graph":"g","a":[]}')]
)
@example([StreamedFact("s", "p", "o", 1.0, '{"graph":1}'), StreamedFact("s", "p", "q", 5e-324, '{"a":1,"graph":"g"}')])
def test_any_facts_come_back_as_they_are(format_: RdfFileFormat, style: Style, exported: list[StreamedFact]) -> None:
    writing = Writing(rdf=RdfWriting(style, Prefixes(PREFIXES)))
    try:
        content = write(format_, exported, writing)
    except Unwritable:
        assume(False)
    found = read(format_, content, prefixes=PrefixStore(PREFIXES))
    assert found.refused == []
    assert repr(sorted(found.facts)) == repr(sorted(exported))


def test_plain_leaves_out_what_is_said_of_facts() -> None:
    fact = StreamedFact("ex:a", "ex:p", "ex:b", 0.5, '{"a":1}')
    for format_ in RDF_FORMATS:
        content = write(format_, [fact], Writing(rdf=RdfWriting(Style.PLAIN, Prefixes(PREFIXES))))
        assert read(format_, content, prefixes=PrefixStore(PREFIXES)).facts == [
            fact._replace(weight=1.0, metadata=None)
        ]


def test_turtle_is_short() -> None:
    exported = [StreamedFact("ex:a", "ex:p", "ex:b", 0.5, None), StreamedFact("ex:a", "p q", "o", 1.0, '{"a":1}')]
    content = write(FORMATS["turtle"], exported, Writing(rdf=RdfWriting(None, Prefixes(PREFIXES)))).decode()
    assert content.splitlines()[-2:] == [
        "ex:a ex:p ex:b {| skg:weight 0.5 |} .",
        'ex:a <urn:skg:text:p%20q> "o" {| skg:metadata "{\\"a\\":1}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON> |} .',
    ]
