"""Records of a file: fields of facts, or reasons why there are none."""

from collections.abc import Sequence
from typing import NamedTuple

from triples.exchange.fields import Fields
from triples.exchange.lines import Refused

# Lines with only subject, predicate and object have a fast path: most files have only those.
Bare = list[str]

# The number of the record's first line, and the fields of its fact, or the reason why it has none.
Record = tuple[int, Fields | Bare | Refused]


class Batch(NamedTuple):
    """Consecutive records. `end` is the place after them, at the end of line `last_line`."""

    records: Sequence[Record]
    last_line: int
    end: int
