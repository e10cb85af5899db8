"""A look through a file before it is parsed: its digest, and whether it says anything of facts, and how."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from io import BufferedReader
from tempfile import TemporaryFile
from typing import NamedTuple, cast

from triples.exchange.lines import BYTE_ORDER_MARK, DAMAGED, peek, skip_to
from triples.exchange.rdf.options import METADATA, UNKEPT, RdfOptions

_READ_BYTES, _OVERLAP = 1 << 20, 256
# What may name a triple elsewhere than right after it, in Turtle.
_APART = re.compile(rb"[:#](?:subject|reifies)\b|<<|~")
_WORDS = (b"subject", b"reifies", b"<<", b"~")
_LAST_NAME = re.compile(r"[^/#:]*$")


class Content(NamedTuple):
    """`digest` is of the content. `says_of_facts` is False if no fact has a weight or metadata.

    `says_apart` is False if what is said of a fact stands right after it, in annotations of Turtle.
    """

    digest: str
    says_of_facts: bool
    says_apart: bool


@contextmanager
def rereadable(stream: BufferedReader) -> Iterator[BufferedReader]:
    """The same content, as a stream that can be read twice and has no byte order mark.

    A pipe goes into a temporary file, and so does a file with the mark, which no parser of RDF reads.
    """
    if peek(stream).startswith(BYTE_ORDER_MARK):
        stream.read(len(BYTE_ORDER_MARK))
    elif stream.seekable():
        yield stream
        return
    with TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield cast("BufferedReader", copy)


def scanned(stream: BufferedReader, options: RdfOptions, *, in_full: bool) -> Content:
    """The findings about the content. `in_full` tells that it has no prefixes. The stream is at its beginning again."""
    iris = (METADATA, *UNKEPT, *options.weight_properties)
    words = [f"<{iri}>" if in_full else _LAST_NAME.findall(iri)[0] for iri in iris]
    word = "|".join(map(re.escape, words))
    saying = re.compile((word if in_full else rf"(?<![\w.-])(?:{word})(?![\w.-])").encode())
    digest = blake2b(digest_size=5)
    says_of_facts, says_apart, before = options.metadata, False, b""
    with suppress(*DAMAGED):
        # It is reported when the facts before it have been read.
        while content := stream.read(_READ_BYTES):
            digest.update(content)
            looked_at = before + content
            says_of_facts = says_of_facts or saying.search(looked_at) is not None
            says_apart = says_apart or (
                any(word in looked_at for word in _WORDS) and _APART.search(looked_at) is not None
            )
            before = content[-_OVERLAP:]
    skip_to(stream, 0)
    return Content(digest.hexdigest(), says_of_facts, says_apart)
