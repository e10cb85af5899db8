"""The tool that adds facts."""

from functools import partial
from typing import Any

from triples.http.batches import Batch, read_batch
from triples.http.writes import fact_of
from triples.mcp.answers import Answer, Work
from triples.mcp.names import missing_names
from triples.metrics import added_by
from triples.models import Source
from triples.services.graph import graph
from triples.store.operations import AddMany, ManyStored


def add_facts(arguments: dict[str, Any]) -> Work:
    batch = read_batch({"triples": arguments.get("facts")})
    return Work(1, partial(_add, batch))


async def _add(batch: Batch) -> Answer:
    # Before they are there.
    unlike = await missing_names([(None, item.predicate, None) for item in batch.items.values()])
    stored = await graph.write(AddMany([fact_of(item, Source.BATCH) for item in batch.items.values()]))
    assert isinstance(stored, ManyStored)
    added_by(Source.BATCH).inc(stored.inserted)
    notes = [_stored(stored.inserted)]
    if stored.duplicates:
        notes.append(_known(len(stored.duplicates)))
    # A new predicate may be meant; a typing error is seen only by those it is told.
    notes += [f"New predicate, stored as it is: {told}" for told in unlike if "Did you mean" in told]
    return Answer("\n".join(notes), {"added": stored.inserted, "duplicates": len(stored.duplicates), "notes": notes})


def _stored(number: int) -> str:
    return "1 new fact is stored." if number == 1 else f"{number:,} new facts are stored."


def _known(number: int) -> str:
    return f"{number:,} {'was' if number == 1 else 'were'} there already, and nothing changes."
