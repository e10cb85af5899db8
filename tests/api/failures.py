"""How each operation of the API is made to fail in each way that it can."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.db import OperationalError
from django.utils import timezone

from apikeys import key_cache
from apikeys.models import ApiKey
from apikeys.services import key_revoke, key_rotate
from tests.api.operations import NOTHING, Operation
from tests.conftest import ChangeSettings, IssueKey
from tests.support.database import in_orm
from triples import ids
from triples.files.responses import public_id as import_id
from triples.import_runs import ImportRun
from triples.models import RecursionRun
from triples.runs.responses import public_id

RULE = {"name": "grandparent", "head": ["?x", "is", "?y"], "body": [["?x", "was", "?y"]]}
FACT = {"subject": "Einstein", "predicate": "born_in", "object": "Germany"}


@dataclass
class World:
    """What a failure may need: a client, keys to make, and settings to change."""

    client: httpx.AsyncClient
    issue_key: IssueKey
    change_settings: ChangeSettings
    monkeypatch: pytest.MonkeyPatch
    key: str

    def request(self, operation: Operation, id_: str = "", **options: Any) -> httpx.Request:
        """A request that is good but for what the options say."""
        key = options.pop("key", self.key)
        headers: dict[str, str] = {} if key is None else {"Authorization": f"Bearer {key}"}
        if not {"json", "content"} & set(options):
            options |= operation.body
        options.setdefault("params", operation.parameters)
        options["headers"] = headers | options.pop("headers", {})
        return self.client.build_request(operation.method, operation.path(id_), **options)

    async def fact(self) -> str:
        """The id of a fact."""
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = await self.client.post("/triples/add", json=FACT, headers=headers)
        return str(answer.json()["id"])

    async def rule(self) -> str:
        """The name of a rule."""
        headers = {"Authorization": f"Bearer {self.key}"}
        await self.client.post("/rules", json=RULE, headers=headers)
        return str(RULE["name"])

    async def rotated_key(self) -> str:
        """A key that works and has been replaced already."""
        old = self.issue_key()
        in_orm(lambda: key_rotate(key=stored_key(old), actor="tests"))
        return old


Provoke = Callable[[World, Operation], Awaitable[httpx.Request]]


def stored_key(clear_text: str) -> ApiKey:
    return ApiKey.objects.get(public_id=clear_text.split("_")[2][:8])


async def a_body_that_does_not_parse(world: World, operation: Operation) -> httpx.Request:
    if operation.takes_json:
        return world.request(operation, content=b'{"pattern": [', headers={"Content-Type": "application/json"})
    request = world.request(operation)
    # Nor does a request whose key could be either of two.
    request.headers = httpx.Headers([*request.headers.multi_items(), ("Authorization", "Bearer another")])
    return request


async def no_key(world: World, operation: Operation) -> httpx.Request:
    return world.request(operation, key=None)


async def an_address_that_is_not_allowed(world: World, operation: Operation) -> httpx.Request:
    if not operation.needs_key:
        world.change_settings(metrics_networks=["10.0.0.0/8"])
    return world.request(operation, key=world.issue_key(allowed_networks="10.0.0.0/8"))


async def nothing_there(world: World, operation: Operation) -> httpx.Request:
    if not operation.names_one:
        # Without authentication there is no key; with a port of their own there are no metrics here.
        world.change_settings(enable_auth=False, metrics_port=9999)
    if operation.id == "import_create":
        return world.request(operation, params={"resume": NOTHING["import"]})
    return world.request(operation)


async def no_json_wanted(world: World, operation: Operation) -> httpx.Request:
    return world.request(operation, headers={"Accept": "image/png"})


async def a_body_that_does_not_arrive(world: World, operation: Operation) -> httpx.Request:
    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    world.change_settings(body_timeout=0.05)
    return world.request(operation, content=never(), headers={"Content-Type": "application/json"})


async def a_fact_that_is_there(world: World, operation: Operation) -> httpx.Request:
    await world.fact()
    return world.request(operation, json={"triples": [FACT], "skip_duplicates": False})


async def an_inferred_fact(world: World, operation: Operation) -> httpx.Request:
    from tests.triples.store.inferred.derived import key, program, run

    def derived() -> str:
        run(program({"name": "inverse", "head": ["?y", "bore", "?x"], "body": [["?x", "born_in", "?y"]]}))
        return ids.pack_inferred(*key("Germany", "bore", "Einstein"))

    await world.fact()
    return world.request(operation, in_orm(derived))


async def a_rule_of_that_name(world: World, operation: Operation) -> httpx.Request:
    return world.request(operation, json=RULE | {"name": await world.rule()})


async def a_revoked_key(world: World, operation: Operation) -> httpx.Request:
    key = world.issue_key()
    revoked = in_orm(lambda: key_revoke(key=stored_key(key), actor="tests"))
    return world.request(operation, revoked.public_id)


async def a_key_that_was_replaced(world: World, operation: Operation) -> httpx.Request:
    return world.request(operation, key=await world.rotated_key())


async def another_version(world: World, operation: Operation) -> httpx.Request:
    stored = await (world.rule() if operation.route.startswith("/rules") else world.fact())
    return world.request(operation, stored, headers={"If-Match": '"another"'})


async def too_large_a_body(world: World, operation: Operation) -> httpx.Request:
    world.change_settings(max_body_bytes=1024)
    return world.request(operation, json={"text": "x" * 1024})


async def a_body_of_another_type(world: World, operation: Operation) -> httpx.Request:
    if not operation.takes_json:
        return world.request(operation, headers={"Content-Encoding": "br"})
    return world.request(operation, content=b"{}", headers={"Content-Type": "text/plain"})


async def an_unknown_field(world: World, operation: Operation) -> httpx.Request:
    if operation.takes_json:
        return world.request(operation, json=operation.example | {"unknown": 1})
    return world.request(operation, params=operation.parameters | {"unknown": "1"})


async def a_bucket_that_is_empty(world: World, operation: Operation) -> httpx.Request:
    key = world.issue_key(rate="1/h")
    first = await world.client.send(world.request(operation, key=key))
    assert first.status_code != 429
    return world.request(operation, key=key)


async def a_database_that_does_not_answer(world: World, operation: Operation) -> httpx.Request:
    def fail(*_: Any) -> None:
        raise OperationalError("SELECT secret: connection refused")

    world.monkeypatch.setattr(key_cache, "_read_row", fail)
    return world.request(operation, key=world.issue_key())


async def a_run_that_is_active(world: World, operation: Operation) -> httpx.Request:
    first = await world.client.send(world.request(operation))
    assert first.status_code == 202
    return world.request(operation)


async def a_run_that_has_ended(world: World, operation: Operation) -> httpx.Request:
    run = in_orm(RecursionRun.objects.create, active=None, status="succeeded", created_at=timezone.now())
    return world.request(operation, public_id(run))


async def an_import_that_was_undone(world: World, operation: Operation) -> httpx.Request:
    def undone() -> ImportRun:
        now: Any = timezone.now()
        actor = f"key {stored_key(world.key).public_id}"
        return ImportRun.objects.create(
            status="undone", source="file", requested_by=actor, beginning="8 abc", created_at=now, touched_at=now
        )

    return world.request(operation, params={"resume": import_id(in_orm(undone))})


PROVOCATIONS: dict[int, Provoke] = {
    400: a_body_that_does_not_parse,
    401: no_key,
    403: an_address_that_is_not_allowed,
    404: nothing_there,
    406: no_json_wanted,
    408: a_body_that_does_not_arrive,
    412: another_version,
    413: too_large_a_body,
    415: a_body_of_another_type,
    422: an_unknown_field,
    429: a_bucket_that_is_empty,
    503: a_database_that_does_not_answer,
}
CONFLICTS: dict[str, Provoke] = {
    "import_create": an_import_that_was_undone,
    "triples_batch": a_fact_that_is_there,
    "triples_partial_update": an_inferred_fact,
    "triples_destroy": an_inferred_fact,
    "rules_create": a_rule_of_that_name,
    "recurse_start": a_run_that_is_active,
    "recurse_cancel": a_run_that_has_ended,
    "keys_rotate": a_revoked_key,
    "keys_rotate_me": a_key_that_was_replaced,
}
