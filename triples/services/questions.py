"""Questions that are answered in the caller's thread, for commands and the admin."""

from collections.abc import Callable

from triples.query.blocks import OutOfTime
from triples.query.explanations import own_connection
from triples.query.finding_answers import Expired
from triples.query.graph_facts import GraphFacts
from triples.store.operations import ReadTimeout
from triples.store.reads_and_writes import Result


def ask_now(read: Callable[[GraphFacts, Expired], Result], expired: Expired, *, inferred: bool) -> Result:
    """The result of a read of the facts of one moment. It must end when `expired` returns True.

    `inferred` tells whether it also reads inferred facts. Raises ReadTimeout if the read has no result by then.
    """
    with own_connection(always=True) as (session, dialect, shown):
        visible = shown.filter if shown is not None and inferred else None
        try:
            return read(GraphFacts(session.rows, dialect, visible), expired)
        except OutOfTime:
            raise ReadTimeout from None
