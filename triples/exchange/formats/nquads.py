"""N-Quads: a fact in each line, and if wanted the graph that it is in."""

from pyoxigraph import RdfFormat

from triples.exchange.rdf.format import LineRdfFormat
from triples.exchange.rdf.writing import Style


class NQuads(LineRdfFormat):
    name = "nquads"
    title = "N-Quads"
    endings = (".nq",)
    media_type = "application/n-quads"
    syntax = RdfFormat.N_QUADS
    has_graphs = True
    styles = tuple(Style)


FORMAT = NQuads()
