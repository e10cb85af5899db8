"""Calls of the API before and after a load: check the key, find facts to ask about, delete the added facts."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from time import monotonic
from typing import Any

import orjson

from skg_site.ops.loadtest.client import Answer, Client, Unreachable
from skg_site.ops.loadtest.rate_limits import Limit
from skg_site.ops.loadtest.request_maker import Fact

# The number of facts that queries ask about.
SAMPLE = 1000
# A request that is refused for a limit, or by a busy service, is sent again.
INVALID, LIMITED, UNAVAILABLE = 422, 429, 503
MOST_ATTEMPTS = 10
# The time to wait for a service that is down, where facts would be left behind otherwise.
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 1.0


class NotAllowed(Exception):
    """The key does not allow the load; the message is a sentence."""


class NotReady(Exception):
    """The service does not answer, or is not an SKG API; the message is a sentence."""


async def check_key(client: Client, scopes: set[str]) -> Limit | None:
    """Check the service and the key, before anything is measured. Returns the key's limit; None if it has none."""
    answer = await _answered(lambda: client.get("/keys/me"))
    content = answer.content()
    if answer.status in {401, 403}:
        raise NotAllowed("The service refuses the key.")
    # With authentication turned off, there is no key to describe.
    if answer.status == 404 and isinstance(content, dict) and "request_id" in content:
        return Limit.of(answer.headers)
    if answer.status != 200 or not isinstance(content, dict) or "scopes" not in content:
        raise NotReady(f"The service there is no SKG API, or does not work: GET /keys/me gave {answer.status}.")
    if missing := scopes - set(content["scopes"]):
        raise NotAllowed(f"The key lacks the scope {' and '.join(sorted(missing))}.")
    return Limit.of(answer.headers)


async def some_facts(client: Client) -> list[Fact]:
    """The heaviest facts of the graph, to ask about."""
    facts: list[Fact] = []
    # One page, if the service allows pages of that size: a limited key has few requests.
    size = {"limit": str(SAMPLE)}
    cursor: dict[str, str] | None = {}
    while cursor is not None and len(facts) < SAMPLE:
        answer = await _answered(partial(client.get, "/triples", size | cursor))
        if answer.status == INVALID and size:
            size = {}
            continue
        page = _content_of(answer, "GET /triples")
        facts += [(row["subject"], row["predicate"], row["object"]) for row in page["triples"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    return facts


async def remove_facts(client: Client, predicate: str, tell: Callable[[int], None]) -> None:
    """Delete all facts with this predicate, and tell after each request how many are gone.

    A limit is waited for, however long it takes; a service that is down, for a while. Raises NotReady after that, or if
    the service refuses.
    """
    removed = 0
    body: dict[str, Any] = {"pattern": [None, predicate, None], "dry_run": False}
    done: dict[str, Any] = {"complete": False}
    while not done["complete"]:
        # The service deletes for as long as a read may take.
        ask = partial(client.post, "/triples/delete", orjson.dumps(body), seconds=PATIENCE_SECONDS)
        done = _content_of(await _answered_at_last(ask), "POST /triples/delete")
        body["cursor"] = done["next_cursor"]
        removed += done["facts"]
        tell(removed)


Ask = Callable[[], Awaitable[Answer]]


def _content_of(answer: Answer, endpoint: str) -> dict[str, Any]:
    if answer.status != 200:
        raise NotReady(f"{endpoint} gave {answer.status}.")
    content: dict[str, Any] = answer.content()
    return content


# The package stamina does not fit these loops: the pauses are those that the service asks for, and each answer about a
# limit moves the deadline.


async def _answered(ask: Ask) -> Answer:
    """Ask again until the service is not too busy to answer."""
    for _ in range(MOST_ATTEMPTS):
        try:
            answer = await ask()
        except Unreachable as error:
            raise NotReady(f"The service does not answer: {error}.") from None
        if answer.status not in {LIMITED, UNAVAILABLE}:
            return answer
        if answer.retry_after > PATIENCE_SECONDS:
            raise NotReady(f"The key's limit lets nothing more through for {answer.retry_after:,.0f} s.")
        await asyncio.sleep(answer.retry_after)
    raise NotReady(f"The service has been too busy to answer {MOST_ATTEMPTS} times in a row.")


async def _answered_at_last(ask: Ask) -> Answer:
    """Ask again until the limit allows it. Raises NotReady if the service has been down or busy for too long."""
    give_up_at = monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = await ask()
            reason, pause = "it is too busy", answer.retry_after
        except Unreachable as error:
            answer, reason, pause = None, str(error), PAUSE_SECONDS
        if answer is not None and answer.status == LIMITED:
            give_up_at = monotonic() + pause + PATIENCE_SECONDS
        elif answer is not None and answer.status != UNAVAILABLE:
            return answer
        elif monotonic() >= give_up_at:
            raise NotReady(f"The service does not answer: {reason}.")
        await asyncio.sleep(pause)
