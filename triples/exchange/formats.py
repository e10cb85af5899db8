"""The formats of files, and how a file's name or first bytes show its format."""

from enum import StrEnum
from pathlib import PurePath


class Format(StrEnum):
    TSV = "tsv"
    CSV = "csv"
    NDJSON = "ndjson"


class Compression(StrEnum):
    NONE = "none"
    GZIP = "gzip"
    XZ = "xz"


FORMATS = {".tsv": Format.TSV, ".csv": Format.CSV, ".ndjson": Format.NDJSON, ".jsonl": Format.NDJSON}
COMPRESSIONS = {".gz": Compression.GZIP, ".xz": Compression.XZ}
_BEGINNINGS = {b"\x1f\x8b": Compression.GZIP, b"\xfd7zXZ\x00": Compression.XZ}


def format_of(name: str) -> Format | None:
    """The format of a file by its name, such as `facts.tsv.gz`."""
    path = PurePath(name.lower())
    if path.suffix in COMPRESSIONS:
        path = path.with_suffix("")
    return FORMATS.get(path.suffix)


def compression_of(name: str) -> Compression:
    return COMPRESSIONS.get(PurePath(name.lower()).suffix, Compression.NONE)


def compression_at(beginning: bytes) -> Compression:
    """The compression that a file's first bytes show, whatever its name is."""
    for magic, compression in _BEGINNINGS.items():
        if beginning.startswith(magic):
            return compression
    return Compression.NONE
