"""NDJSON: a fact in each line, as a JSON object with the API's field names."""

from collections.abc import Iterator, Sequence
from io import BufferedReader

import orjson

from triples.exchange.fields import Fields, fields_of_json
from triples.exchange.formats.base import AS_IS, PLAIN, Batches, ReadOptions, Writing
from triples.exchange.formats.records import RecordFormat, line_batches
from triples.exchange.records import Batch
from triples.exchange.rendering import fact_content
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
        yield from map(_content, batches)


def _fields(text: str) -> Fields:
    return fields_of_json(text.encode())


def _content(facts: Sequence[StreamedFact]) -> bytes:
    lines = [orjson.dumps(fact_content(*fact[:5]), option=orjson.OPT_APPEND_NEWLINE) for fact in facts]
    return b"".join(lines)


FORMAT = NDJSON()
