"""Terms of RDF as texts, and texts as terms of RDF: by one rule, which loses nothing."""

from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyoxigraph import BaseDirection, BlankNode, Literal, NamedNode, Triple

from tests.triples.exchange.test_round_trip import ODD_TEXTS, terms
from triples.exchange.rdf.blank_nodes import BlankNodes
from triples.exchange.rdf.prefixes import PrefixError, Prefixes, parse_prefix
from triples.exchange.rdf.terms import Term, TermTexts

PREFIXES = Prefixes({"ex": "http://example.org/", "exa": "http://example.org/a/", "obo": "http://obo/UBERON_"})
TEXTS = TermTexts(PREFIXES)
INTEGER = NamedNode("http://www.w3.org/2001/XMLSchema#integer")
OWN = BlankNode("b0.x0123456789")


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (NamedNode("http://example.org/a"), "ex:a"),
        (NamedNode("http://example.org/a/b"), "exa:b"),
        (NamedNode("http://example.org/a/b/c#d"), "exa:b/c#d"),
        (NamedNode("http://obo/UBERON_0001"), "obo:0001"),
        (NamedNode("http://www.w3.org/2000/01/rdf-schema#subClassOf"), "rdfs:subClassOf"),
        (NamedNode("http://elsewhere.org/é"), "http://elsewhere.org/é"),
        (NamedNode("http://elsewhere.org/e\u0301"), "<http://elsewhere.org/e\\u0301>"),
        (NamedNode("urn:isbn:1"), "urn:isbn:1"),
        (NamedNode("unusual:1"), "<unusual:1>"),
        (NamedNode("urn:skg:text:Ada%20L"), "Ada L"),
        (NamedNode("urn:skg:text:Ada"), "Ada"),
        (NamedNode("urn:skg:text:%61"), "skg:text:%61"),
        (NamedNode("urn:skg:weight"), "skg:weight"),
        (OWN, "_:b0.x0123456789"),
        (Literal("Ada"), "Ada"),
        (Literal(""), '""'),
        (Literal(" a"), '" a"'),
        (Literal("a\nb"), '"a\\nb"'),
        (Literal("e\u0301"), '"e\\u0301"'),
        (Literal("ex:a"), '"ex:a"'),
        (Literal("no:prefix"), "no:prefix"),
        (Literal("http://a.b/"), '"http://a.b/"'),
        (Literal('"a"'), '"a"'),
        (Literal('""'), '"\\"\\""'),
        (Literal("_:a"), "_:a"),
        (Literal("chat", language="fr"), '"chat"@fr'),
        (Literal("a", language="ar", direction=BaseDirection.RTL), '"a"@ar--rtl'),
        (Literal("5", datatype=INTEGER), '"5"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        (Triple(OWN, NamedNode("ex:p"), Literal("o")), '<<( _:b0.x0123456789 <ex:p> "o" )>>'),
    ],
)
def test_each_term_is_a_text(term: Term, text: str) -> None:
    assert TEXTS.text(term) == text
    assert term in {TEXTS.object(text), TEXTS.node(text)}


characters = st.characters(codec="utf-8")
values = st.one_of(
    st.sampled_from(ODD_TEXTS), st.text(characters, max_size=20), st.text('"\\<>_:@^ ab\n\u0301', max_size=9)
)


def iri(text: str) -> NamedNode | None:
    try:
        return NamedNode(text)
    except ValueError:
        return None


namespaces = st.sampled_from(["http://example.org/", "http://example.org/a/", "http://b.c#", "urn:x:", "x:", "http:"])
iris = st.builds(str.__add__, namespaces, values).map(iri).filter(bool)
literals = st.one_of(
    st.builds(Literal, values),
    st.builds(lambda value: Literal(value, language="en"), values),
    st.builds(lambda value, datatype: Literal(value, datatype=datatype), values, iris),
)
plain = st.one_of(iris, st.just(OWN), literals)
triples = st.builds(Triple, st.one_of(iris, st.just(OWN)), iris, plain)


@given(st.one_of(plain, triples))
def test_any_term_comes_back_of_its_text(term: Term) -> None:
    assert TEXTS.object(TEXTS.text(term)) == term


@given(terms())
@example('"a"@en')
@example('"a"@EN')
@example('"\\u0061"@en')
@example("<http://example.org/a>")
@example("<<( <a:a> <b:b> <c:c> )>>")
@example("_:b")
@example("ex:")
@example("skg:text:a")
@example("urn:skg:text:a")
@example("urn:skg:text:%22a%22%40en")
@example('"a" . <a:a> <a:a> <a:a>')
def test_any_text_comes_back_of_its_term_wherever_it_stands(text: str) -> None:
    for term in (TEXTS.object(text), TEXTS.node(text), TEXTS.iri(text)):
        assert TEXTS.text(term) == text


def test_blank_nodes_of_two_files_are_two() -> None:
    one, other = (TermTexts(PREFIXES, BlankNodes(partial(str, digit * 10), numbered=True)) for digit in "12")
    assert one.text(BlankNode("b")) == "_:b.x1111111111"
    assert other.text(BlankNode("b")) == "_:b.x2222222222"
    assert one.text(OWN) == other.text(OWN) == "_:b0.x0123456789"
    assert [one.text(BlankNode(label * 32)) for label in "aba"] == [
        "_:1.a1111111111",
        "_:2.a1111111111",
        "_:1.a1111111111",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ex", "must be a name and an IRI, such as ex=https://example.com/"),
        ("ex=", "cannot be a namespace"),
        ("http=http://e.org/", "cannot be the name of a prefix"),
    ],
)
def test_a_prefix_that_is_none_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(PrefixError, match=reason):
        parse_prefix(text)
