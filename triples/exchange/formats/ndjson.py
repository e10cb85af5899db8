"""NDJSON: a fact in each line, as a JSON object with the API's field names."""

from collections.abc import Iterator, Sequence
from io import BufferedReader

import orjson

from triples.exchange.fields import Fields, fields_of_json
from triples.exchange.formats.base import AS_IS, PLAIN, Batches, ReadOptions, Writing
from triples.exchange.formats.records import RecordFormat, line_batches
from triples.exchange.records import Batch
from triples.exchange.rendering import extras_of, fact_content
from triples.query.export import StreamedFact


class NDJSON(RecordFormat):
    name = "ndjson"
    title = "NDJSON"
    endings = (".ndjson", ".jsonl")
    media_type = "application/x-ndjson"

    def begins(self, beginning: bytes) -> bool:
        return beginning.startswith(b"{") and b'"subject"' in beginning.partition(b"\n")[0]

    def batches(
        self, stream: BufferedReader, number: int = 0, offset: int = 0, options: ReadOptions = AS_IS
    ) -> Iterator[Batch]:
        beginning = self.beginning(stream, options, number, offset)
        for part in beginning.spans(stream):
            yield from line_batches(part, _fields)

    def rendered(self, batches: Batches, writing: Writing = PLAIN) -> Iterator[bytes]:
        yield from (_content(batch, writing.extras) for batch in batches)


def _fields(text: str) -> Fields:
    return fields_of_json(text.encode())


def _content(facts: Sequence[StreamedFact], extras: Sequence[str]) -> bytes:
    contents = [fact_content(*fact[:5]) for fact in facts]
    if extras:
        for content, fact in zip(contents, facts, strict=True):
            content.update(zip(extras, extras_of(fact, extras), strict=True))
    return b"".join([orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE) for content in contents])


FORMAT = NDJSON()
