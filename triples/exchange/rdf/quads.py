"""The quads of a file. What cannot be read is refused with its line, and the rest is read on."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, QuadParser, RdfFormat, Triple, parse

from triples.exchange.lines import DAMAGED, InputError, Refused, unreadable
from triples.exchange.rdf.feeding import LineFeed

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# What cannot be a term the parser of JSON-LD leaves out and says nothing, unless it is told to check less.
UNCHECKED = frozenset({RdfFormat.JSON_LD})
_REMEMBERED = 100_000
# What the parser of JSON-LD says of a context that is only named by its address.
_REMOTE_CONTEXT = "No LoadDocumentCallback has been set"
_WITH_LANGUAGE = frozenset({NamedNode(f"{_RDF}langString"), NamedNode(f"{_RDF}dirLangString")})


class Quads:
    """An iterator over the quads of a feed, which knows which line has been read."""

    def __init__(
        self, feed: LineFeed, syntax: RdfFormat, refuse: Callable[[int, Refused], None], base: str | None = None
    ) -> None:
        self._feed = feed
        self._refuse = refuse
        self._first_line = feed.line
        self._checks = syntax in UNCHECKED
        self._sound: set[object] = set()
        # Why the rest of the file was left unread, if the parser ended before the file did.
        self.fault: InputError | None = None
        try:
            self._parser: QuadParser = parse(cast("BinaryIO", feed), syntax, base_iri=base, lenient=syntax in UNCHECKED)
        except ValueError as error:
            raise InputError(f"--base: {error}") from error

    @property
    def prefixes(self) -> dict[str, str]:
        """The prefixes that have been declared so far."""
        return dict(self._parser.prefixes)

    def __iter__(self) -> Iterator[Quad]:
        place: tuple[object, ...] | None = None
        while True:
            try:
                yield from filter(self._is_sound if self._checks else _is_whole, self._parser)
                break
            except SyntaxError as error:
                if self._feed.damage is not None:
                    raise unreadable(self._feed.damage) from error
                here = (error.lineno, error.offset, error.msg)
                if here == place:
                    # The parser does not get over it.
                    break
                place = here
                self._refuse(self._first_line + (error.lineno or self._feed.line), Refused(_reason(error)))
            except (OSError, EOFError) as error:
                raise unreadable(self._feed.damage or error) from error
        if place is not None and self._is_left():
            self.fault = InputError(f"the rest cannot be read, after {place[2]}")

    def _is_sound(self, quad: Quad) -> bool:
        """True if the terms of an unchecked quad are terms. If not, it is refused."""
        known = self._sound
        for term in quad:
            if term in known:
                continue
            try:
                _check(term)
            except ValueError as error:
                self._refuse(self._feed.line, Refused(f"cannot be read: {term} is no term of RDF: {error}"))
                return False
            if len(known) >= _REMEMBERED:
                known.clear()
            known.add(term)
        return _is_whole(quad)

    def _is_left(self) -> bool:
        """True if a parser that ended after a fault, as that of JSON-LD does, has left something unread."""
        try:
            return bool(self._feed.read(1))
        except DAMAGED as error:
            raise unreadable(error) from error


def _check(term: object) -> None:
    """Raise ValueError if this is no term, although the parser has made one of it."""
    match term:
        case NamedNode():
            NamedNode(term.value)
        case BlankNode():
            BlankNode(term.value)
        case Literal() if term.language is not None:
            Literal(term.value, language=term.language)
        case Literal():
            NamedNode(term.datatype.value)
        case Triple():
            for part in (term.subject, term.predicate, term.object):
                _check(part)


def _is_whole(quad: Quad) -> bool:
    """True if no literal lacks a language. The parser has quads with those too, after it has refused them."""
    term = quad.object
    while isinstance(term, Triple):
        term = term.object
    return not (isinstance(term, Literal) and term.language is None and term.datatype in _WITH_LANGUAGE)


def _reason(error: SyntaxError) -> str:
    """The parser's words without the place, which is told beforehand."""
    if error.msg.startswith(_REMOTE_CONTEXT):
        return "names a context by its address, and no import reads other files: write the context into the file"
    _, _, reason = error.msg.partition(": ")
    return f"cannot be read: {reason or error.msg}"
