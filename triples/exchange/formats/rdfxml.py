"""RDF/XML."""

from pyoxigraph import RdfFormat

from triples.exchange.rdf.format import SerializedRdfFormat


class RdfXml(SerializedRdfFormat):
    name = "rdfxml"
    title = "RDF/XML"
    endings = (".rdf", ".owl")
    media_type = "application/rdf+xml"
    syntax = RdfFormat.RDF_XML

    def begins(self, beginning: bytes) -> bool:
        return b"<rdf:RDF" in beginning


FORMAT = RdfXml()
