"""Facts as JSON, by their id or in lists, for the API and the explorer alike."""

from typing import Annotated, Literal, NotRequired
from uuid import UUID

from django.conf import settings
from pydantic import Field
from typing_extensions import TypedDict  # Pydantic needs this one before Python 3.12

from skg_site.api.fields import INTEGER_TEXT, NUMBER_TEXT, Weight
from skg_site.api.inputs import QueryString
from triples import ids
from triples.http.asked_terms import AskedObject, AskedPredicate, AskedSubject
from triples.http.fact_json import TRIPLE, TripleOut, triple_content
from triples.http.list_cursors import CURSOR, cursor_after, position_of
from triples.query.explanations import Asserted
from triples.query.fact_rows import AnyRow
from triples.query.reads import Wanted
from triples.recursion.programs import Key
from triples.services.graph import graph
from triples.store.operations import NoSuchFact


class ListParameters(QueryString):
    """The query string of a list; texts are parsed as numbers."""

    subject: AskedSubject | None = None
    predicate: AskedPredicate | None = None
    object: AskedObject | None = None
    min_weight: Annotated[Weight, NUMBER_TEXT] = 0.0
    inferred: Annotated[
        bool | None, Field(description="true: inferred facts only; false: asserted ones only; left out: both.")
    ] = None
    count: Annotated[
        Literal["none", "exact"],
        Field(description="exact: `total` says how many facts match in all; 503 when counting them takes too long."),
    ] = "none"
    limit: Annotated[int, Field(ge=1, le=settings.ENV.max_results), INTEGER_TEXT] = 100
    cursor: Annotated[str, CURSOR.field] | None = None


class PageOut(TypedDict):
    triples: list[TripleOut]
    next_cursor: Annotated[str | None, Field(description="The cursor of the next page; null on the last one.")]
    total: NotRequired[
        Annotated[int, Field(default=0, description="Only with count=exact: how many facts match in all.")]
    ]


PAGE: PageOut = {"triples": [TRIPLE], "next_cursor": None}
COUNTED_PAGE: PageOut = {**PAGE, "total": 1}


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
