"""Facts as JSON, by their id or in lists, for the API and the explorer alike."""

from uuid import UUID

from triples import ids
from triples.http.list_cursors import cursor_after, position_of
from triples.http.request_models import ListParameters
from triples.http.responses import PageOut, triple_content
from triples.query.explanations import Asserted
from triples.query.fact_rows import AnyRow
from triples.query.reads import Wanted
from triples.recursion.programs import Key
from triples.services.graph import graph
from triples.store.operations import NoSuchFact


def wanted_fact(public_id: UUID) -> Asserted | Key:
    """The fact that a public id names."""
    if inferred := ids.unpack_inferred(public_id):
        return Key(*inferred)
    found = ids.unpack(public_id)
    if found is None or found.kind != ids.ASSERTED:
        raise NoSuchFact
    return Asserted(found.key, found.created_ms)


async def read_fact(wanted: Asserted | Key) -> AnyRow:
    if isinstance(wanted, Asserted):
        return await graph.fact(*wanted)
    return await graph.inferred_fact(wanted)


async def read_page(wanted: ListParameters) -> PageOut:
    """One page of a list, with the total if it is wanted."""
    after = None if wanted.cursor is None else position_of(wanted.cursor)
    facts = Wanted(
        (wanted.subject, wanted.predicate, wanted.object),
        wanted.min_weight,
        asserted=wanted.inferred is not True,
        inferred=wanted.inferred is not False,
    )
    # One more than is shown: if it is there, there is another page.
    total = None
    if wanted.count == "exact":
        rows, total = await graph.counted_page(facts, limit=wanted.limit + 1, after=after)
    else:
        rows = await graph.page(facts, limit=wanted.limit + 1, after=after)
    shown = rows[: wanted.limit]
    more = cursor_after(shown[-1]) if len(rows) > wanted.limit else None
    page: PageOut = {"triples": [triple_content(row) for row in shown], "next_cursor": more}
    if total is not None:
        page["total"] = total
    return page
