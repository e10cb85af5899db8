"""GraphML: nodes and edges as XML, with keys for what else is said of them."""

from collections.abc import Iterator, Mapping, Sequence
from io import BufferedReader
from itertools import chain, islice
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from triples.exchange.compressions import Writable
from triples.exchange.fields import UNKEPT, Fields, metadata_of, weight_of
from triples.exchange.formats.base import PLAIN, Batches, Format, Part, Reading, Unwritable, Writing
from triples.exchange.graphs.graphml import Element, GraphML
from triples.exchange.graphs.nodes import EDGE, Nodes, Seen, added, name_of, typed
from triples.exchange.lines import MAX_LINE_BYTES, InputError, Refused, skip_to
from triples.exchange.rdf.scanning import rereadable
from triples.exchange.records import Record
from triples.exchange.rendering import extras_of
from triples.query.export import StreamedFact

_PREDICATES = ("predicate", "label")
# Of the keys that an export makes beside those of the facts themselves.
_OWN = "skg-"
_UNKEPT = {f"{_OWN}{name}" for name in UNKEPT}
_AT_ONCE = 1_000
_HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="label" for="edge" attr.name="label" attr.type="string"/>
<key id="weight" for="edge" attr.name="weight" attr.type="double"><default>1.0</default></key>
<key id="metadata" for="edge" attr.name="metadata" attr.type="string"/>
"""
# Characters that may be in a text, and not in XML.
_NOT_IN_XML = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


class GraphMLFormat(Format):
    name = "graphml"
    title = "GraphML"
    endings = (".graphml",)
    media_type = "application/graphml+xml"

    def begins(self, beginning: bytes) -> bool:
        return b"<graphml" in beginning

    def parts(self, stream: BufferedReader, reading: Reading, _number: int = 0, offset: int = 0) -> Iterator[Part]:
        """The facts after a number of nodes and edges."""
        with rereadable(stream) as content, Nodes() as nodes:
            nodes.gather(_names(GraphML(content)))
            skip_to(content, 0)
            elements = GraphML(content).elements()
            fault, end = None, 0
            while fault is None:
                batch: list[Element] = []
                try:
                    # What stands before a fault is kept.
                    batch.extend(islice(elements, min(_AT_ONCE, reading.most_lines())))
                except InputError as error:
                    fault = error
                if not batch:
                    break
                chosen = batch[max(offset - end, 0) :]
                end += len(batch)
                if chosen:
                    records = chain.from_iterable(_records(element, nodes) for element in chosen)
                    yield Part(reading.maker.facts(records, reading.refuse), batch[-1].line, end)
            if fault is not None:
                raise fault

    def write(self, batches: Batches, file: Writable, writing: Writing = PLAIN) -> None:
        keys = "".join(
            f'<key id="{_OWN}{name}" for="edge" attr.name="{name}" attr.type="string"/>\n' for name in writing.extras
        )
        file.write(f'{_HEADER}{keys}<graph edgedefault="directed">\n'.encode())
        with Seen() as seen:
            for batch in batches:
                texts = dict.fromkeys(text for fact in batch for text in (fact.subject, fact.object))
                nodes = [f"<node id={_attribute(text)}/>\n" for text in seen.new(texts)]
                edges = [_edge(fact, writing.extras) for fact in batch]
                file.write("".join([*nodes, *edges]).encode())
        file.write(b"</graph>\n</graphml>\n")


def _names(graph: GraphML) -> Iterator[tuple[str, str | None]]:
    """The nodes and their names. A fault is reported when the facts before it have been read."""
    try:
        for element in graph.elements():
            if element.tag == "node" and (id_ := element.attributes.get("id", "").strip()):
                yield id_, None if element.is_too_long else name_of(_properties(element))
    except InputError:
        return


def _properties(element: Element) -> list[tuple[str, str]]:
    return [(key.name, text) for key, text in element.said]


def _records(element: Element, nodes: Nodes) -> Iterator[Record]:
    line = element.line
    if reason := _reason_against(element):
        yield line, Refused(reason)
    elif element.tag == "node":
        facts = nodes.facts(element.attributes["id"].strip(), _properties(element))
        yield from ((line, fields) for fields in facts)
    else:
        try:
            yield line, _fact(element, nodes)
        except Refused as refused:
            yield line, refused


def _reason_against(element: Element) -> str | None:
    if element.is_too_long:
        return f"the {element.tag} is longer than {MAX_LINE_BYTES:,} characters"
    if element.tag == "hyperedge":
        return "a hyperedge has any number of ends, a fact has two"
    needed = ("id",) if element.tag == "node" else ("source", "target")
    missing = [name for name in needed if not element.attributes.get(name, "").strip()]
    return f"the {element.tag} has no {missing[0]}" if missing else None


def _fact(element: Element, nodes: Nodes) -> Fields:
    ends = [element.attributes[name].strip() for name in ("source", "target")]
    said = _properties(element)
    labels = [(name, text) for name in _PREDICATES for key, text in said if key == name and text.strip()]
    # Neo4j has it as an attribute.
    labels += [(name, text) for name in _PREDICATES if (text := element.attributes.get(name, "")).strip()]
    predicate = labels[0] if labels else (EDGE, EDGE)
    metadata: dict[str, Any] = {} if element.is_directed else {"directed": False}
    weight: float | None = None
    for key, text in element.said:
        if key.name == "weight":
            weight = weight_of(text)
        elif key.name == "metadata":
            metadata |= metadata_of(text) or {}
        elif (key.name, text) != predicate and key.id not in _UNKEPT:
            added(metadata, key.name, typed(text, key.kind))
    return Fields(nodes.term(ends[0]), predicate[1], nodes.term(ends[1]), weight, metadata or None)


def _edge(fact: StreamedFact, extras: Sequence[str]) -> str:
    said: Mapping[str, str | None] = {
        "label": _checked(fact.predicate),
        "weight": None if fact.weight == 1 else repr(fact.weight),
        "metadata": None if fact.metadata is None else fact.metadata.translate(_NOT_IN_XML),
        **{f"{_OWN}{name}": text for name, text in zip(extras, extras_of(fact, extras), strict=True)},
    }
    data = "".join(f'<data key="{key}">{escape(text)}</data>' for key, text in said.items() if text is not None)
    return f"<edge source={_attribute(fact.subject)} target={_attribute(fact.object)}>{data}</edge>\n"


def _attribute(text: str) -> str:
    return quoteattr(_checked(text))


def _checked(text: str) -> str:
    if "\ufffe" in text or "\uffff" in text:
        raise Unwritable(f"XML has no U+FFFE and U+FFFF, which are in {text!a}")
    return text


FORMAT = GraphMLFormat()
