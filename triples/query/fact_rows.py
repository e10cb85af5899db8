"""The columns that are read of facts, and the rows made of them: `Row` for asserted facts, else `InferredRow`."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from triples.recursion.programs import Key
from triples.store.inferred.layout import KEY
from triples.store.inferred.state import State
from triples.store.operations import Pattern, Row

# What is read of an asserted fact, before its texts.
ASSERTED = ("id", "created_at", "updated_at", "source", "weight", "metadata")
# What is read of facts of both kinds, or of inferred ones alone. An inferred fact has no id: so it is told from an
# asserted one.
COLUMNS = (*ASSERTED, *KEY, "depth", "rule")


class InferredRow(NamedTuple):
    """An inferred fact, as the last run left it. `rule` is the name of the last rule of its best proof."""

    key: Key
    created_ms: int
    weight: float
    depth: int
    rule: str
    subject: str
    predicate: str
    object: str

    @property
    def version(self) -> str:
        """A digest that changes with the fact; the entity tag of a conditional request."""
        state = f"{self.key} {self.weight!r} {self.depth} {self.rule} {self.created_ms}"
        return blake2b(state.encode(), digest_size=9).hexdigest()


AnyRow = Row | InferredRow


def rows_of_both(found: Sequence[Sequence[Any]], pattern: Pattern, state: State) -> list[AnyRow]:
    """The rows of statements that read `COLUMNS`, completed with the pattern's constants."""
    return [_row(row, texts_of(pattern, row[len(COLUMNS) :]), state) for row in found]


def texts_of(pattern: Pattern, read: Sequence[str]) -> tuple[str, str, str]:
    """The texts of a fact: those that were read, and the pattern's constants."""
    place = 0
    subject, predicate, object_ = pattern
    if subject is None:
        subject = read[place]
        place += 1
    if predicate is None:
        predicate = read[place]
        place += 1
    return subject, predicate, read[place] if object_ is None else object_


def _row(row: Sequence[Any], texts: tuple[str, str, str], state: State) -> AnyRow:
    if row[0] is not None:
        return Row._make((*row[:6], *texts))
    depth, rule = row[9:11]
    return InferredRow(Key(*row[6:9]), state.written_ms, row[4], depth, state.program.rules[rule].name, *texts)
