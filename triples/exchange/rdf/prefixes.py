"""Prefixes: short names of namespaces, by which the terms of RDF are written as texts.

One graph has one set of them, so that an IRI is always the same text. They stand in `prefixes.json`, in the folder of
the state of the service.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from skg_site.host.files import sync

VOCABULARY = "urn:skg:"
WELL_KNOWN = {
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skg": VOCABULARY,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
FILE = "prefixes.json"
# What begins an IRI that is written without angle brackets; no prefix may have such a name.
SCHEMES = ("http", "https", "ftp", "file", "urn", "mailto", "tel", "tag", "doi", "info", "data")
_NAME = re.compile(r"[A-Za-z](?:[\w.-]*[\w-])?", re.ASCII)
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*")
_END_OF_NAMESPACE = "#/:"


class PrefixError(ValueError):
    """A prefix that cannot be used; the message says why."""


class Prefixes:
    def __init__(self, iris: Mapping[str, str] = WELL_KNOWN) -> None:
        """`iris` has the namespaces by their names."""
        self._iris = {**WELL_KNOWN, **iris}
        self._names = {iri: name for name, iri in reversed(self._iris.items())}
        self._beginnings = tuple(self._names)
        # Namespaces within a name, such as `http://purl.obolibrary.org/obo/UBERON_`.
        self._odd = sorted((iri for iri in self._names if iri[-1] not in _END_OF_NAMESPACE), key=len, reverse=True)

    @property
    def iris(self) -> Mapping[str, str]:
        return self._iris

    @property
    def has_odd(self) -> bool:
        """True if a namespace ends within a name."""
        return bool(self._odd)

    def compact(self, iri: str) -> str | None:
        """The IRI with a prefix, if it has one."""
        for namespace in self._odd:
            if iri.startswith(namespace):
                return f"{self._names[namespace]}:{iri[len(namespace) :]}"
        if not iri.startswith(self._beginnings):
            return None
        end = len(iri)
        while (end := max(iri.rfind("#", 0, end), iri.rfind("/", 0, end), iri.rfind(":", 0, end))) >= 0:
            if (name := self._names.get(iri[: end + 1])) is not None:
                return f"{name}:{iri[end + 1 :]}"
        return None

    def keeps(self, name: str, iri: str) -> bool:
        """True if each IRI of this namespace is compacted by this name, if `/`, `#` or `:` are not in its rest."""
        is_known = self._iris.get(name) == iri and self.compact(f"{iri}x") == f"{name}:x"
        return is_known and not any(odd != iri and odd.startswith(iri) for odd in self._odd)

    def expand(self, text: str) -> str | None:
        name, colon, local = text.partition(":")
        namespace = self._iris.get(name) if colon else None
        return None if namespace is None else namespace + local

    def with_(self, others: Mapping[str, str]) -> "Prefixes":
        """These and others. Raises PrefixError if a name stands for another namespace already."""
        for name, iri in others.items():
            check_prefix(name, iri)
            if self._iris.get(name, iri) != iri:
                raise PrefixError(f"the prefix {name} stands for {self._iris[name]} already")
        return Prefixes({**self._iris, **others})

    def usable(self, others: Mapping[str, str], is_used: Callable[[str], bool]) -> dict[str, str]:
        """The prefixes of others that would not give an IRI a second text.

        They have a new name and a new namespace, and `is_used` finds no IRI of that namespace in the graph, where it
        would stand without the prefix.
        """
        found: dict[str, str] = {}
        for name, iri in others.items():
            is_new = name not in self._iris and iri not in self._names and iri not in found.values()
            if is_new and is_prefix(name, iri) and not is_used(iri):
                found[name] = iri
        return found


def is_prefix(name: str, iri: str) -> bool:
    try:
        check_prefix(name, iri)
    except PrefixError:
        return False
    return True


def check_prefix(name: str, iri: str) -> None:
    if not _NAME.fullmatch(name) or name in SCHEMES:
        raise PrefixError(f"{name!r} cannot be the name of a prefix")
    if not (is_iri(iri) and iri.isascii()):
        raise PrefixError(f"{iri!r} cannot be a namespace")


def is_iri(text: str) -> bool:
    return _IRI.fullmatch(text) is not None


def parse_prefix(text: str) -> tuple[str, str]:
    """The name and the namespace of NAME=IRI."""
    name, between, iri = text.partition("=")
    if not between:
        raise PrefixError(f"{text!r} must be a name and an IRI, such as ex=https://example.com/")
    check_prefix(name, iri)
    return name, iri


def load_prefixes(folder: Path) -> Prefixes:
    """The prefixes that are kept in a folder. Raises PrefixError."""
    try:
        content = json.loads((folder / FILE).read_bytes())
    except FileNotFoundError:
        return Prefixes()
    except ValueError as error:
        raise PrefixError(f"{folder / FILE} is not JSON: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(iri, str) for iri in content.values()):
        raise PrefixError(f"{folder / FILE} must be a JSON object of namespaces by their names")
    return Prefixes().with_(content)


def save_prefixes(folder: Path, added: Iterable[tuple[str, str]]) -> None:
    """Keep more prefixes in the folder."""
    known = load_prefixes(folder).with_(dict(added)).iris
    own = {name: iri for name, iri in sorted(known.items()) if WELL_KNOWN.get(name) != iri}
    new = folder / f".{FILE}.{os.getpid()}"
    new.write_text(json.dumps(own, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    # Facts that are stored next rely on it.
    sync(new)
    new.replace(folder / FILE)
    sync(folder)
