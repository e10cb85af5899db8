"""A client reads its own writes, although reads go to replicas of the database.

The answer to a write has a token, the header SKG-Snapshot. A request that sends it back sees that write, and all before
it. Without a token, the same holds for the requests of one connection.

Language models keep no tokens, and a request of theirs reads a lot: all of it from the primary.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from django.http import HttpResponse

from skg_site.api.problems import BadRequest, TwiceSent, problem_from
from skg_site.api.request import APIRequest
from skg_site.api.threads import in_thread
from triples.store.backend import backend
from triples.store.freshness import FRESHNESS, Freshness, position_of, token_of

HEADER = "SKG-Snapshot"
_ON_PRIMARY = frozenset({"/mcp"})
# Of so many connections it is known what they wrote last. Of others, what the last forgotten one wrote.
MOST_CONNECTIONS = 10_000

Handler = Callable[[APIRequest], Awaitable[HttpResponse]]
# The address and the port of a client. A proxy's clients have no ports here: those of one address count as one.
Client = tuple[str, int]


class _LastWrites:
    """The position of the last write of each connection."""

    def __init__(self) -> None:
        self._known: OrderedDict[Client, int] = OrderedDict()
        self._forgotten = 0

    def get(self, client: Client) -> int:
        return self._known.get(client, self._forgotten)

    def note(self, client: Client, position: int) -> None:
        self._known[client] = position
        self._known.move_to_end(client)
        if len(self._known) > MOST_CONNECTIONS:
            self._forgotten = max(self._forgotten, self._known.popitem(last=False)[1])


class FreshReads:
    """A middleware of the API door, where there are replicas."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self._last_writes = _LastWrites()

    async def __call__(self, request: APIRequest) -> HttpResponse:
        if request.path in _ON_PRIMARY:
            return await self.handler(request)
        client = request.scope.get("client") or ("", 0)
        try:
            needed = _sent_position(request)
        except (BadRequest, TwiceSent) as error:
            return problem_from(error, {"request": request})
        freshness = Freshness(max(needed, self._last_writes.get(client)))
        outer = FRESHNESS.set(freshness)
        try:
            response = await self.handler(request)
        finally:
            FRESHNESS.reset(outer)
            # Also of a request that failed after it had written.
            if freshness.written:
                self._last_writes.note(client, freshness.written)
        if freshness.written:
            response.headers[HEADER] = token_of(freshness.written)
        return response


def _sent_position(request: APIRequest) -> int:
    sent = request.header(HEADER.lower().encode())
    if sent is None:
        return 0
    position = position_of(sent.strip())
    if position is None:
        raise BadRequest(f"The header {HEADER} is none that this service sent; it is such as 16/B374D848.")
    return position


async def cover_commits() -> None:
    """Let the answer's token cover all that anybody has committed by now, such as the facts of a run."""
    if (freshness := FRESHNESS.get()) is not None:
        freshness.note(await in_thread(backend().position))
