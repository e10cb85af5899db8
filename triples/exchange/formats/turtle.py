"""Turtle, with the annotations of RDF 1.2."""

import re

from pyoxigraph import RdfFormat

from triples.exchange.rdf.format import TurtleRdfFormat

_BEGINNING = re.compile(rb"(?:\s*#[^\n]*\n)*\s*(?:@prefix|@base|prefix\s|base\s|version\s|@version)", re.IGNORECASE)


class Turtle(TurtleRdfFormat):
    name = "turtle"
    title = "Turtle"
    endings = (".ttl", ".turtle")
    media_type = "text/turtle"
    syntax = RdfFormat.TURTLE

    def begins(self, beginning: bytes) -> bool:
        return _BEGINNING.match(beginning) is not None


FORMAT = Turtle()
