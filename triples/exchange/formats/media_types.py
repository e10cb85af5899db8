"""The media types and endings of formats and compressions, for workers.

To ask the registry would load the libraries of all formats.
"""

from typing import NamedTuple

# A test holds that they are those of the registry.
MEDIA_TYPES = {
    "arrow": "application/vnd.apache.arrow.file",
    "csv": "text/csv",
    "graphml": "application/graphml+xml",
    "jsonld": "application/ld+json",
    "ndjson": "application/x-ndjson",
    "neo4j": "application/zip",
    "nquads": "application/n-quads",
    "ntriples": "application/n-triples",
    "parquet": "application/vnd.apache.parquet",
    "rdfxml": "application/rdf+xml",
    "trig": "application/trig",
    "tsv": "text/tab-separated-values",
    "turtle": "text/turtle",
}
# How the names of their files end.
ENDINGS = {
    "arrow": ".arrow",
    "csv": ".csv",
    "graphml": ".graphml",
    "jsonld": ".jsonld",
    "ndjson": ".ndjson",
    "neo4j": ".neo4j.zip",
    "nquads": ".nq",
    "ntriples": ".nt",
    "parquet": ".parquet",
    "rdfxml": ".rdf",
    "trig": ".trig",
    "tsv": ".tsv",
    "turtle": ".ttl",
}
# The formats whose files are archives already.
ARCHIVES = frozenset({"neo4j"})


class Compressed(NamedTuple):
    """The ending that compression adds to a name, and the media type of what is compressed."""

    ending: str
    media_type: str


COMPRESSED = {
    "gzip": Compressed(".gz", "application/gzip"),
    "xz": Compressed(".xz", "application/x-xz"),
    "zstd": Compressed(".zst", "application/zstd"),
    "zip": Compressed(".zip", "application/zip"),
}
# Of what says nothing of its format.
UNTOLD = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded"})


def format_named(media_type: str) -> str | None:
    """The format with this media type, whose parameters do not count."""
    plain = media_type.partition(";")[0].strip().lower()
    return next((name for name, each in MEDIA_TYPES.items() if each == plain and name not in ARCHIVES), None)
