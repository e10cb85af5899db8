"""The W3C's cases for N-Triples, N-Quads, Turtle and TriG: what is right becomes its facts, what is wrong none."""

import orjson
import pytest
from pyoxigraph import CanonicalizationAlgorithm, Dataset, DefaultGraph, Quad, parse

from tests.triples.exchange.reading import Read, read
from tests.triples.exchange.w3c_cases import Case, cases
from triples.exchange.formats.base import ReadOptions
from triples.exchange.formats.registry import format_of
from triples.exchange.rdf.format import RdfFileFormat
from triples.exchange.rdf.options import GRAPH, PrefixStore, RdfOptions
from triples.exchange.rdf.prefixes import Prefixes
from triples.exchange.rdf.terms import TermTexts

# The numbers of right and wrong files.
SUITES = {
    "rdf11/rdf-n-triples": (41, 29),
    "rdf11/rdf-n-quads": (53, 34),
    "rdf11/rdf-turtle": (219, 94),
    "rdf11/rdf-trig": (241, 115),
    "rdf12/rdf-n-triples/syntax": (7, 22),
    "rdf12/rdf-n-triples/c14n": (41, 0),
    "rdf12/rdf-n-quads/syntax": (7, 20),
    "rdf12/rdf-n-quads/c14n": (41, 0),
}
# In these files, whole statements stand in lines before or after the refused one.
WITH_RIGHT_LINES = {
    "nquads12-nested-bad-annotated-syntax-2.nq",
    "trig-graph-bad-06.trig",
    "trig-graph-bad-07.trig",
    "trig-graph-bad-09.trig",
    "trig-syntax-bad-n3-extras-03.trig",
    "turtle-syntax-bad-n3-extras-03.ttl",
    "turtle-syntax-bad-struct-08.ttl",
    "turtle-syntax-bad-struct-11.ttl",
}


def syntax_of(path: str) -> RdfFileFormat:
    found = format_of(path)
    assert isinstance(found, RdfFileFormat)
    return found


def graph_of(found: Read, prefixes: Prefixes) -> Dataset:
    """The facts as RDF, their blank nodes named by what is said of them."""
    texts = TermTexts(prefixes)
    graph = Dataset()
    for subject, predicate, object_, _, metadata in (fact[:5] for fact in found.facts):
        name = texts.node(orjson.loads(metadata)[GRAPH]) if metadata else DefaultGraph()
        graph.add(Quad(texts.node(subject), texts.iri(predicate), texts.object(object_), name))
    graph.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return graph


def expected_of(case: Case) -> Dataset:
    path, content = case.expected or (case.path, case.content)
    graph = Dataset(parse(content, syntax_of(path).syntax, base_iri=case.base))
    graph.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return graph


@pytest.mark.parametrize("suite", SUITES)
def test_right_files_become_their_facts_and_wrong_ones_are_refused(suite: str) -> None:
    found = list(cases(f"rdf/{suite}"))
    wrong = sum(case.is_bad for case in found)
    assert (len(found) - wrong, wrong) == SUITES[suite]
    for case in found:
        store = PrefixStore()
        imported = read(syntax_of(case.path), case.content, ReadOptions(rdf=RdfOptions(base=case.base)), prefixes=store)
        if case.is_bad:
            assert imported.refused, case.path
            assert not imported.facts or case.path.rpartition("/")[2] in WITH_RIGHT_LINES, case.path
        else:
            assert not imported.refused, case.path
            assert graph_of(imported, store.prefixes) == expected_of(case), case.path
