"""The one rule by which terms of RDF are texts, and texts are terms of RDF. It loses nothing:

- An IRI of a known prefix is `prefix:rest`. Another is itself if it begins with a usual scheme (`https://…`, `urn:…`),
  and else in angle brackets, as N-Triples writes it.
- A blank node is `_:label`.
- A literal with a language or a datatype is as N-Triples writes it: `"chat"@fr`, `"5"^^<…#integer>`.
- A plain string is its characters. Where these would be read as one of the above, or would not be stored as they are
  (they are empty, or have line ends, or white space around them), it is in quotation marks, as N-Triples writes it.
- Any other text is a plain string as the object of a fact. As subject or predicate, where RDF has no strings, it is the
  IRI `urn:skg:text:` with the text percent-encoded after it, which is that text again wherever it stands.

What is not exactly as the rule writes it is a plain string: `"a"` in quotation marks is a text of three characters.
"""

import re
from collections.abc import Mapping
from unicodedata import normalize
from urllib.parse import quote, unquote

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse

from triples.exchange.rdf.blank_nodes import BlankNodes, is_own_label
from triples.exchange.rdf.prefixes import SCHEMES, VOCABULARY, Prefixes
from triples.text import TermError, clean_term

Term = NamedNode | BlankNode | Literal | Triple
TEXT = f"{VOCABULARY}text:"
XSD_STRING = NamedNode("http://www.w3.org/2001/XMLSchema#string")

_BARE = re.compile(rf"(?:{'|'.join(SCHEMES)}):[^\x00-\x20<>\"{{}}|^`\\]+")
_USUAL = ("http://", "https://")
# Terms of which nothing has to be checked.
_ORDINARY = re.compile(
    r"<https?://[\w.~-]+(?:[/#?](?:[\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*>"
    r"|\"[^\"\\\x00-\x1f\x7f]*\"(?:@[a-z]{2,3}|\^\^<http://www\.w3\.org/2001/XMLSchema#"
    r"(?:integer|decimal|double|float|boolean|date|dateTime|gYear)>)?",
    re.ASCII,
)
_ESCAPES: Mapping[int, str] = {
    **{code: f"\\u{code:04X}" for code in (*range(0x20), *range(0x7F, 0xA0))},
    **{ord(char): escape for char, escape in {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.items()},
}


class TermTexts:
    """The rule with the prefixes of a graph and the blank nodes of a file."""

    def __init__(self, prefixes: Prefixes, blank_nodes: BlankNodes | None = None) -> None:
        self._prefixes = prefixes
        self._blank_nodes = blank_nodes

    def text(self, term: Term) -> str:
        if isinstance(term, NamedNode):
            return self._iri_text(term.value)
        if isinstance(term, Literal) and term.datatype == XSD_STRING:
            value: str = term.value
            return value if is_stable(value) and self.parsed(value) is None else _quoted(value)
        return self.exact(term)

    def checked_text(self, written: str) -> str:
        """The text of a term that a file has. Raises ValueError if it is none."""
        if _ORDINARY.fullmatch(written) is None:
            return self.text(self.term_of_written(written))
        return self.text_of_written(written)

    def beginning(self, namespace: str) -> str:
        """The beginning of the text of each usual IRI of this namespace, if IRIs are compacted by namespaces."""
        return self._prefixes.compact(namespace) or namespace

    @property
    def compacts_by_namespace(self) -> bool:
        """True if the text of an IRI depends on what is before its last `/`, `#` or `:`, and not on what follows."""
        return not self._prefixes.has_odd

    def keeps_prefix(self, name: str, iri: str) -> bool:
        """True if the text of each IRI of this namespace, with a simple rest, is the rest with this prefix."""
        return self._prefixes.keeps(name, iri) and not iri.startswith(TEXT)

    def term_of_written(self, written: str) -> Term:
        """The term that N-Triples writes so. Raises ValueError."""
        found = _of_ntriples(written)
        if found is None:
            raise ValueError(f"{written} is no term")
        return found

    def text_of_written(self, written: str) -> str:
        """The text of a term as the parser writes it. Raises ValueError for one that it refuses when it reads it."""
        # Most are as simple as that: an IRI, or a string that is nothing else.
        if written.isascii() and written.isprintable() and "\\" not in written:
            inner = written[1:-1]
            if written[0] == '"':
                if written[-1] != '"':
                    return written
                if inner and ":" not in inner and inner[0] not in '<"_ ' and inner[-1] != " ":
                    return inner
            elif written[0] == "<" and inner[0] != "<" and not inner.startswith(TEXT):
                shorter = self._prefixes.compact(inner)
                if shorter is not None or inner.startswith(_USUAL):
                    return shorter or inner
        return self.text(self.term_of_written(written))

    def exact(self, term: Term) -> str:
        """The term as N-Triples writes it, in characters that are stored as they are."""
        match term:
            case NamedNode():
                return f"<{_escaped(term.value)}>"
            case BlankNode():
                return f"_:{term.value if self._blank_nodes is None else self._blank_nodes.label(term.value)}"
            case Triple():
                return f"<<( {' '.join(map(self.exact, (term.subject, term.predicate, term.object)))} )>>"
        written = str(term)
        # Neither a language nor a datatype has a quotation mark.
        return _quoted(term.value) + written[written.rfind('"') + 1 :]

    def parsed(self, text: str) -> Term | None:
        """The term that the text is, or None for a plain string."""
        if text[:1] not in {"<", '"', "_"} and ":" not in text:
            return None
        found = self._candidate(text)
        return found if found is not None and self.text(found) == text else None

    def object(self, text: str) -> Term:
        found = self.parsed(text)
        return Literal(text) if found is None else found

    def node(self, text: str) -> NamedNode | BlankNode:
        """The subject that the text is."""
        found = self.parsed(text)
        return found if isinstance(found, NamedNode | BlankNode) else NamedNode(TEXT + quote(text, safe=""))

    def iri(self, text: str) -> NamedNode:
        """The predicate that the text is."""
        found = self.parsed(text)
        return found if isinstance(found, NamedNode) else NamedNode(TEXT + quote(text, safe=""))

    def _iri_text(self, iri: str) -> str:
        if iri.startswith(TEXT):
            text = unquote(iri[len(TEXT) :], errors="replace")
            if is_stable(text) and TEXT + quote(text, safe="") == iri and self._is_no_node(text):
                return text
        shorter = self._prefixes.compact(iri)
        if shorter is not None and is_stable(shorter) and self._prefixes.expand(shorter) == iri:
            return shorter
        return iri if _BARE.fullmatch(iri) and is_stable(iri) else f"<{_escaped(iri)}>"

    def _is_no_node(self, text: str) -> bool:
        """True if the text is no IRI and no blank node, which would be written as such."""
        return not isinstance(self.parsed(text), NamedNode | BlankNode)

    def _candidate(self, text: str) -> Term | None:
        try:
            if text.startswith("_:"):
                return BlankNode(text[2:]) if is_own_label(text[2:]) else None
            if text[0] in '<"':
                return _of_ntriples(text)
            iri = self._prefixes.expand(text)
            return NamedNode(iri or text) if iri or _BARE.fullmatch(text) else None
        except ValueError:
            return None


def is_stable(text: str) -> bool:
    """True if the text is stored as it is."""
    try:
        return clean_term(text, max(len(text), 1)) == text
    except TermError:
        return False


def _of_ntriples(text: str) -> Term | None:
    try:
        found = [quad.object for quad in parse(f"<a:a> <a:a> {text} .", RdfFormat.N_TRIPLES)]
    except SyntaxError:
        return None
    return found[0] if len(found) == 1 else None


def _quoted(value: str) -> str:
    return f'"{_escaped(value)}"'


def _escaped(value: str) -> str:
    escaped = value.translate(_ESCAPES)
    return escaped if normalize("NFC", f'"{escaped}"') == f'"{escaped}"' else "".join(map(_escaped_char, escaped))


def _escaped_char(char: str) -> str:
    if char.isascii():
        return char
    return f"\\u{ord(char):04X}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08X}"
