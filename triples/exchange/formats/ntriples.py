"""N-Triples: a fact in each line, without prefixes."""

import re

from pyoxigraph import RdfFormat

from triples.exchange.rdf.format import LineRdfFormat

_BEGINNING = re.compile(rb"(?:\s*#[^\n]*\n)*\s*(?:<[^<>\"\s]+>|_:\S+)\s+<[^<>\"\s]+>\s+(?:[<_\"])")


class NTriples(LineRdfFormat):
    name = "ntriples"
    title = "N-Triples"
    endings = (".nt",)
    media_type = "application/n-triples"
    syntax = RdfFormat.N_TRIPLES

    def begins(self, beginning: bytes) -> bool:
        return _BEGINNING.match(beginning) is not None


FORMAT = NTriples()
