"""Reader of GraphML: nodes and edges with what keys say of them, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from typing import NamedTuple
from xml.parsers import expat

from triples.exchange.lines import DAMAGED, MAX_LINE_BYTES, InputError, unreadable

_READ_BYTES = 1 << 16
_MOST_KEYS, _DEEPEST = 10_000, 100
_LONGEST_DEFAULT = 10_000
# What an empty text takes.
_LEAST = 100


class Key(NamedTuple):
    id: str
    name: str
    kind: str
    # What it is for: node, edge, graph, all.
    domain: str


@dataclass(slots=True)
class Element:
    """A node, an edge or a hyperedge. `said` has texts by their keys."""

    tag: str
    line: int
    attributes: dict[str, str]
    is_directed: bool
    said: list[tuple[Key, str]] = field(default_factory=list)
    size: int = 0

    @property
    def is_too_long(self) -> bool:
        return self.size > MAX_LINE_BYTES


class GraphML:
    """The elements of a stream. Raises InputError, after what stands before the fault."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self.keys: dict[str, Key] = {}
        self._defaults: dict[Key, str] = {}
        self._open: list[Element] = []
        self._done: list[Element] = []
        self._directed = [True]
        self._depth = 0
        self._key: Key | None = None
        # The text of `data` or `default`, whatever elements are in it.
        self._text: list[str] | None = None
        self._text_depth = 0
        self._is_default = False
        # The size of a text that is no element's.
        self._size = 0
        self._fault: InputError | None = None
        parser = self._parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._say
        parser.EntityDeclHandler = self._refuse_entity

    def elements(self) -> Iterator[Element]:
        given = 0
        while self._fault is None:
            try:
                content = self._stream.read(_READ_BYTES)
            except DAMAGED as error:
                self._fault = unreadable(error)
                break
            given += len(content)
            self._parse(content)
            yield from self._done
            self._done.clear()
            if not content:
                break
            if given - max(self._parser.CurrentByteIndex, 0) > MAX_LINE_BYTES + _READ_BYTES:
                self._fault = InputError(f"a tag is longer than {MAX_LINE_BYTES:,} bytes")
        yield from self._done
        if self._fault is not None:
            raise self._fault

    def _parse(self, content: bytes) -> None:
        try:
            self._parser.Parse(content, not content)
        except InputError as error:
            self._fault = error
        except (expat.ExpatError, ValueError) as error:
            self._fault = InputError(f"is no XML from here on: {error}")

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise InputError(f"declares the entity {name[:60]!r}; entities are not read")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise InputError(f"elements are nested more than {_DEEPEST:,} deep")
        if self._text is not None:
            return
        match tag.rpartition(":")[2]:
            case "graph":
                self._directed.append(attributes.get("edgedefault", "directed") != "undirected")
            case "key":
                self._declare(attributes)
            case "data" | "default":
                self._text, self._text_depth = [], self._depth
                self._is_default = tag.endswith("default")
                if not self._is_default:
                    id_ = attributes.get("key", "")
                    self._key = self.keys.get(id_) or Key(id_, id_ or "data", "string", "all")
                self._count(_LEAST)
            case "node" | "edge" | "hyperedge" as known:
                default = "true" if self._directed[-1] else "false"
                is_directed = attributes.get("directed", default) != "false"
                line = self._parser.CurrentLineNumber
                size = sum(map(len, attributes.values()))
                self._open.append(Element(known, line, attributes, is_directed, size=size))

    def _declare(self, attributes: dict[str, str]) -> None:
        if len(self.keys) >= _MOST_KEYS:
            raise InputError(f"declares more than {_MOST_KEYS:,} keys")
        id_ = attributes.get("id", "")
        # A label of yEd is a part of how it draws.
        is_drawing = attributes.get("yfiles.type", "").endswith("graphics")
        name = "label" if is_drawing else attributes.get("attr.name") or id_ or "data"
        kind, domain = attributes.get("attr.type", "string"), attributes.get("for", "all")
        self._key = self.keys[id_] = Key(id_, name, kind, domain)

    def _say(self, text: str) -> None:
        if self._text is None:
            return
        if self._count(len(text)):
            self._text.append(text)

    def _count(self, size: int) -> bool:
        """True if what is said still has room."""
        if self._open:
            self._open[-1].size += size
            return not self._open[-1].is_too_long
        # What is said of the whole graph belongs to no fact.
        self._size += size
        return self._is_default and self._size <= _LONGEST_DEFAULT

    def _end(self, tag: str) -> None:
        depth, self._depth = self._depth, self._depth - 1
        if self._text is not None:
            if depth == self._text_depth:
                self._keep("".join(self._text))
                self._text = None
            return
        match tag.rpartition(":")[2]:
            case "graph" if len(self._directed) > 1:
                self._directed.pop()
            case "node" | "edge" | "hyperedge":
                element = self._open.pop()
                given = {key for key, _ in element.said}
                element.said += [
                    (key, text)
                    for key, text in self._defaults.items()
                    if key not in given and key.domain in {"all", element.tag}
                ]
                self._done.append(element)

    def _keep(self, text: str) -> None:
        if self._open and self._key is not None and not self._open[-1].is_too_long:
            self._open[-1].said.append((self._key, text))
        elif self._is_default and self._key is not None:
            self._defaults[self._key] = text
        self._size = 0
