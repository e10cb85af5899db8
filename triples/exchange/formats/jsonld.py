"""JSON-LD."""

from pyoxigraph import RdfFormat

from triples.exchange.rdf.format import SerializedRdfFormat
from triples.exchange.rdf.writing import Style


class JsonLd(SerializedRdfFormat):
    name = "jsonld"
    title = "JSON-LD"
    endings = (".jsonld",)
    media_type = "application/ld+json"
    syntax = RdfFormat.JSON_LD
    has_graphs = True
    styles = (Style.REIFICATION, Style.GRAPHS, Style.PLAIN)

    def begins(self, beginning: bytes) -> bool:
        return beginning.lstrip()[:1] in {b"{", b"["} and any(word in beginning for word in (b'"@context"', b'"@id"'))


FORMAT = JsonLd()
