"""What a load needs of the graph before it begins and after it has ended, all of it through the API."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from skg_site.loadtest.client import Answer, Client, Unreachable
from skg_site.loadtest.requests import Fact

# So many facts are asked about.
SAMPLE = 1000
# A service that is limited or busy says so, and is asked again.
BUSY = {429, 503}
MOST_ATTEMPTS = 10


class NotAllowed(Exception):
    """The key cannot do what the load is made of; the message is a sentence."""


class NotReady(Exception):
    """The service does not answer, or not as this service does; the message is a sentence."""


async def check_key(client: Client, scopes: set[str]) -> None:
    """Raise NotAllowed or NotReady, before anything is measured."""
    answer = await _answered(lambda: client.get("/keys/me"))
    content = answer.content()
    if answer.status in {401, 403}:
        raise NotAllowed("The service refuses the key.")
    # Where authentication is turned off, there is no key to speak of.
    if answer.status == 404 and isinstance(content, dict) and "request_id" in content:
        return
    if answer.status != 200 or not isinstance(content, dict) or "scopes" not in content:
        raise NotReady(f"What answers there is no SKG API, or it is not well: GET /keys/me gave {answer.status}.")
    if missing := scopes - set(content["scopes"]):
        raise NotAllowed(f"The key lacks the scope {' and '.join(sorted(missing))}.")


async def some_facts(client: Client) -> list[Fact]:
    """Facts to ask about: the heaviest of the graph."""
    facts: list[Fact] = []
    cursor: dict[str, str] | None = {}
    while cursor is not None and len(facts) < SAMPLE:
        page = await _page(client, cursor)
        facts += [(row["subject"], row["predicate"], row["object"]) for row in page["triples"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    return facts


async def remove_facts(client: Client, predicate: str, concurrency: int, tell: Callable[[int], None]) -> int:
    """Delete all facts with this predicate, telling how many are gone so far; NotReady where that is refused."""
    removed = 0

    async def remove_each(ids: Iterator[str]) -> None:
        nonlocal removed
        for id_ in ids:
            await _remove(client, id_)
            removed += 1
            tell(removed)

    while rows := (await _page(client, {"predicate": predicate, "inferred": "false"}))["triples"]:
        ids = iter([row["id"] for row in rows])
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(remove_each(ids))
        except* NotReady as errors:
            raise errors.exceptions[0] from None
    return removed


async def _remove(client: Client, public_id: str) -> None:
    answer = await _answered(lambda: client.delete(f"/triples/{public_id}"))
    if answer.status not in {204, 404}:
        raise NotReady(f"DELETE /triples/{{id}} gave {answer.status}.")


async def _page(client: Client, parameters: dict[str, str]) -> dict[str, Any]:
    answer = await _answered(lambda: client.get("/triples", parameters))
    if answer.status != 200:
        raise NotReady(f"GET /triples gave {answer.status}.")
    page: dict[str, Any] = answer.content()
    return page


async def _answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer, once the service is not too busy for one."""
    for _ in range(MOST_ATTEMPTS):
        try:
            answer = await ask()
        except Unreachable as error:
            raise NotReady(f"The service does not answer: {error}.") from None
        if answer.status not in BUSY:
            return answer
        await asyncio.sleep(answer.retry_after)
    raise NotReady(f"The service has been too busy to answer {MOST_ATTEMPTS} times in a row.")
