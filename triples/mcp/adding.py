"""The tool that adds facts."""

from functools import partial
from typing import Any

from skg_site.api.problems import FieldError, Invalid
from triples.http.batches import ReadBatch, read_batch
from triples.mcp.answers import Answer, Work, quoted
from triples.mcp.names import missing_names
from triples.metrics import added_by
from triples.models import Source
from triples.services.graph import graph
from triples.store.operations import AddMany, ManyStored


def add_facts(arguments: dict[str, Any]) -> Work:
    try:
        batch = read_batch({"triples": arguments.get("facts")})
    except Invalid as error:
        faults: list[FieldError] = [{**fault, "loc": ["facts", *fault["loc"][1:]]} for fault in error.errors]
        raise Invalid(faults, more=error.extra.get("more_errors", 0)) from None
    return Work(1, partial(_add, batch))


async def _add(batch: ReadBatch) -> Answer:
    # Before they are there.
    new = await missing_names([(None, item.predicate, None) for item in batch.items.values()])
    stored = await graph.write(AddMany(list(batch.items.values())))
    assert isinstance(stored, ManyStored)
    added_by(Source.BATCH).inc(stored.inserted)
    notes = [_stored(stored.inserted)]
    if stored.duplicates:
        notes.append(_known(len(stored.duplicates)))
    notes += [
        f"The predicate {quoted(name.text)} is new. If you meant {' or '.join(alike)}, tell the user."
        for name, alike in new
        if alike
    ]
    return Answer("\n".join(notes), {"added": stored.inserted, "duplicates": len(stored.duplicates), "notes": notes})


def _stored(number: int) -> str:
    return "1 new fact is stored." if number == 1 else f"{number:,} new facts are stored."


def _known(number: int) -> str:
    return f"{number:,} {'was' if number == 1 else 'were'} there already, and nothing changes."
