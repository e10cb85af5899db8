"""TriG: Turtle with named graphs."""

from pyoxigraph import RdfFormat

from triples.exchange.rdf.format import TurtleRdfFormat
from triples.exchange.rdf.writing import Style


class TriG(TurtleRdfFormat):
    name = "trig"
    title = "TriG"
    endings = (".trig",)
    media_type = "application/trig"
    syntax = RdfFormat.TRIG
    has_annotations = False
    has_graphs = True
    styles = tuple(Style)


FORMAT = TriG()
