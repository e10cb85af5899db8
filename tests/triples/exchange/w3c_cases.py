"""The test suites that the W3C has for the syntaxes of RDF 1.1 and 1.2, as their manifests list them.

The archive is as it came from <https://w3c.github.io/rdf-tests/>. Its files are under both the W3C Test Suite License
and the W3C 3-clause BSD License, whose texts it holds.
"""

import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

ARCHIVE = Path(__file__).with_name("w3c-rdf-tests.tar.xz")
HOME = "https://w3c.github.io/rdf-tests/"
MANIFEST = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
_ENTRIES, _NAME, _ACTION, _RESULT = (NamedNode(MANIFEST + name) for name in ("entries", "name", "action", "result"))
_TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")


class Case(NamedTuple):
    """A file of a suite, by its path in the archive. `expected` is the file with the same graph, if there is one."""

    name: str
    path: str
    content: bytes
    is_bad: bool
    expected: tuple[str, bytes] | None

    @property
    def base(self) -> str:
        """The IRI that the relative IRIs of the file are relative to."""
        return HOME + self.path


@cache
def files() -> dict[str, bytes]:
    with tarfile.open(ARCHIVE) as archive:
        members = ((member.name, archive.extractfile(member)) for member in archive)
        return {name: content.read() for name, content in members if content is not None}


def cases(folder: str) -> Iterator[Case]:
    """The cases of the manifest in a folder of the archive."""
    base = f"{HOME}{folder}/manifest.ttl"
    said: dict[object, dict[NamedNode, str]] = {}
    for quad in parse(files()[f"{folder}/manifest.ttl"], RdfFormat.TURTLE, base_iri=base):
        if isinstance(quad.object, NamedNode | Literal):
            said.setdefault(quad.subject, {})[quad.predicate] = quad.object.value
    for about in said.values():
        if _ACTION in about:
            path = about[_ACTION].removeprefix(HOME)
            result = about.get(_RESULT, "").removeprefix(HOME)
            expected = (result, files()[result]) if result else None
            name = about.get(_NAME, PurePosixPath(path).name)
            yield Case(name, path, files()[path], "Negative" in about[_TYPE], expected)
