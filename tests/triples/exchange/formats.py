"""The formats of a fact a line, by short names."""

from triples.exchange.formats.csv import FORMAT as CSV
from triples.exchange.formats.ndjson import FORMAT as NDJSON
from triples.exchange.formats.tsv import FORMAT as TSV

__all__ = ["CSV", "NDJSON", "RECORD_FORMATS", "TSV"]

RECORD_FORMATS = [TSV, CSV, NDJSON]
