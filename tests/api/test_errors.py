"""Every problem of every operation: each operation is made to fail in each way that its documentation lists."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from django.db import OperationalError

from apikeys import known_keys
from apikeys.models import ApiKey, KeyEvent
from apikeys.services import key_revoke, key_rotate
from skg_site.api.openapi import ProblemOut
from tests.api.operations import DOCUMENT, OPERATIONS, PROBLEM, Operation
from tests.apikeys.conftest import ChangeSettings
from tests.conftest import IssueKey
from tests.support.database import in_orm
from triples import ids
from triples.models import Term, Triple

pytestmark = pytest.mark.both

NO_FACT = ids.pack(1_700_000_000_000, 2**40)
NO_KEY = "AAAAAAAA"
FACT = {"subject": "Einstein", "predicate": "born_in", "object": "Germany"}
EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "BREW"]


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
        path = operation.route.replace("{id}", id_ or (NO_FACT if "triples" in operation.route else NO_KEY))
        key = options.pop("key", self.key)
        headers: dict[str, str] = {} if key is None else {"Authorization": f"Bearer {key}"}
        if operation.takes_body and not {"json", "content"} & set(options):
            options["json"] = operation.example
        options["headers"] = headers | options.pop("headers", {})
        return self.client.build_request(operation.method, path, **options)

    async def fact(self) -> str:
        """The id of a fact."""
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = await self.client.post("/triples/add", json=FACT, headers=headers)
        return str(answer.json()["id"])

    async def rotated_key(self) -> str:
        """A key that works and has been replaced already."""
        old = self.issue_key()
        in_orm(lambda: key_rotate(key=stored_key(old), actor="tests"))
        return old


Provoke = Callable[[World, Operation], Awaitable[httpx.Request]]


def stored_key(clear_text: str) -> ApiKey:
    return ApiKey.objects.get(public_id=clear_text.split("_")[2][:8])


async def a_body_that_does_not_parse(world: World, operation: Operation) -> httpx.Request:
    if operation.takes_body:
        return world.request(operation, content=b'{"pattern": [', headers={"Content-Type": "application/json"})
    request = world.request(operation)
    request.headers = httpx.Headers([*request.headers.multi_items(), ("Accept", "*/*"), ("Accept", "*/*")])
    return request


async def no_key(world: World, operation: Operation) -> httpx.Request:
    return world.request(operation, key=None)


async def an_address_that_is_not_allowed(world: World, operation: Operation) -> httpx.Request:
    if not operation.needs_key:
        world.change_settings(metrics_networks=["10.0.0.0/8"])
    return world.request(operation, key=world.issue_key(allowed_networks="10.0.0.0/8"))


async def nothing_there(world: World, operation: Operation) -> httpx.Request:
    if "{id}" not in operation.route:
        # Without authentication there is no key; with a port of their own there are no metrics here.
        world.change_settings(enable_auth=False, metrics_port=9999)
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


async def a_revoked_key(world: World, operation: Operation) -> httpx.Request:
    key = world.issue_key()
    revoked = in_orm(lambda: key_revoke(key=stored_key(key), actor="tests"))
    return world.request(operation, revoked.public_id)


async def a_key_that_was_replaced(world: World, operation: Operation) -> httpx.Request:
    return world.request(operation, key=await world.rotated_key())


async def another_version(world: World, operation: Operation) -> httpx.Request:
    return world.request(operation, await world.fact(), headers={"If-Match": '"another"'})


async def too_large_a_body(world: World, operation: Operation) -> httpx.Request:
    world.change_settings(max_body_bytes=1024)
    return world.request(operation, json={"text": "x" * 1024})


async def a_body_of_another_type(world: World, operation: Operation) -> httpx.Request:
    return world.request(operation, content=b"{}", headers={"Content-Type": "text/plain"})


async def an_unknown_field(world: World, operation: Operation) -> httpx.Request:
    if operation.takes_body:
        return world.request(operation, json=operation.example | {"unknown": 1})
    return world.request(operation, params={"unknown": "1"})


async def a_bucket_that_is_empty(world: World, operation: Operation) -> httpx.Request:
    key = world.issue_key(rate="1/h")
    first = await world.client.send(world.request(operation, key=key))
    assert first.status_code != 429
    return world.request(operation, key=key)


async def a_database_that_does_not_answer(world: World, operation: Operation) -> httpx.Request:
    def fail(*_: Any) -> None:
        raise OperationalError("SELECT secret: connection refused")

    world.monkeypatch.setattr(known_keys, "_read_row", fail)
    return world.request(operation, key=world.issue_key())


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
    "triples_batch": a_fact_that_is_there,
    "keys_rotate": a_revoked_key,
    "keys_rotate_me": a_key_that_was_replaced,
}


def everything_stored() -> list[list[Any]]:
    """All rows, but for when a key was last used."""
    keys = [field.name for field in ApiKey._meta.fields if field.name not in {"last_used_at", "digest"}]
    return [
        list(Term.objects.order_by("id").values()),
        list(Triple.objects.order_by("id").values()),
        list(ApiKey.objects.order_by("id").values(*keys)),
        list(KeyEvent.objects.order_by("id").values()),
    ]


def check_problem(answer: httpx.Response, status: int, told: str) -> dict[str, Any]:
    """See that an answer is a problem in every respect; `told` is said when it is not."""
    assert answer.status_code == status, f"{told}: {answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == PROBLEM, told
    content: dict[str, Any] = answer.json()
    ProblemOut.model_validate(content, strict=True)
    assert content | {"detail": "", "errors": []} == {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "",
        "instance": answer.request.url.path,
        "request_id": answer.headers["X-Request-ID"],
        "errors": [],
    }, told
    assert content["detail"].endswith("."), told
    for inner in ("Traceback", "SELECT", "INSERT", "triples_", ".py"):
        assert inner not in answer.text, told
    return content


@pytest.fixture
def world(
    anonymous: httpx.AsyncClient,
    issue_key: IssueKey,
    change_settings: ChangeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    return World(anonymous, issue_key, change_settings, monkeypatch, issue_key())


async def failed(world: World, operation: Operation, status: int, provoke: Provoke) -> httpx.Response:
    """The answer to an operation that was made to fail, after seeing that it is a problem and changed nothing."""
    request = await provoke(world, operation)
    before = in_orm(everything_stored)
    answer = await world.client.send(request)
    check_problem(answer, status, str(operation))
    assert in_orm(everything_stored) == before, operation
    return answer


@pytest.mark.parametrize(("status", "provoke"), PROVOCATIONS.items(), ids=map(str, PROVOCATIONS))
async def test_every_operation_fails_as_it_is_documented_to(world: World, status: int, provoke: Provoke) -> None:
    operations = [operation for operation in OPERATIONS if status in operation.problems]
    assert operations
    for operation in operations:
        answer = await failed(world, operation, status, provoke)
        if status == 422:
            assert answer.json()["errors"][0]["loc"] == ["unknown"], operation
        assert ("WWW-Authenticate" in answer.headers) == (status == 401), operation
        assert ("Retry-After" in answer.headers) == (status in {429, 503}), operation
        if status == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        if status in {429, 503}:
            assert int(answer.headers["Retry-After"]) >= 1
        if status == 429:
            assert answer.headers["RateLimit-Policy"] == '"default";q=1;w=3600'


async def test_every_conflict_is_as_it_is_documented(world: World) -> None:
    operations = {operation.id: operation for operation in OPERATIONS if 409 in operation.problems}
    assert operations.keys() == CONFLICTS.keys()
    for id_, provoke in CONFLICTS.items():
        await failed(world, operations[id_], 409, provoke)


def test_every_documented_problem_is_provoked() -> None:
    assert set().union(*(operation.problems for operation in OPERATIONS)) == {*PROVOCATIONS, 409}


async def test_every_operation_is_refused_to_a_key_without_its_scope(world: World) -> None:
    scopes = {"read", "write", "recurse", "admin"}
    for operation in OPERATIONS:
        if operation.scope is None:
            continue
        others = world.issue_key(scopes=sorted(scopes - {operation.scope}))
        before = in_orm(everything_stored)
        content = check_problem(await world.client.send(world.request(operation, key=others)), 403, str(operation))
        assert content["detail"] == f"This needs a key with the scope {operation.scope}."
        assert in_orm(everything_stored) == before


async def test_every_host_but_the_services_is_refused_except_to_probes(world: World) -> None:
    for operation in OPERATIONS:
        answer = await world.client.send(world.request(operation, headers={"Host": "evil.example"}))
        if operation.needs_key:
            check_problem(answer, 400, str(operation))
        else:
            assert answer.status_code == 200, operation


@pytest.mark.parametrize("name", ["Accept", "Authorization", "Content-Type", "If-Match"])
async def test_a_header_that_counts_may_come_only_once(world: World, name: str) -> None:
    good = {"Accept": "*/*", "Content-Type": "application/json", "If-Match": "*"}
    for operation in OPERATIONS:
        used = {
            "Accept": True,
            "Authorization": operation.needs_key,
            "Content-Type": operation.takes_body,
            "If-Match": 412 in operation.problems,
        }
        if used[name]:
            request = world.request(operation)
            headers = [pair for pair in request.headers.multi_items() if pair[0] != name.lower()]
            value = good.get(name) or request.headers[name]
            request.headers = httpx.Headers([*headers, (name, value), (name, value)])
            content = check_problem(await world.client.send(request), 400, str(operation))
            assert content["detail"] == f"The header {name.lower()} came more than once."


async def test_every_path_names_the_methods_that_it_takes(world: World) -> None:
    for route, methods in DOCUMENT["paths"].items():
        taken = {method.upper() for method in methods} | ({"HEAD"} if "get" in methods else set())
        operation = next(operation for operation in OPERATIONS if operation.route == route)
        path = world.request(operation).url.path
        for method in EVERY_METHOD:
            if method in taken:
                continue
            answer = await world.client.request(method, path)
            if method == "HEAD":
                assert (answer.status_code, answer.content) == (405, b"")
            else:
                check_problem(answer, 405, f"{method} {route}")
            assert answer.headers["Allow"] == ", ".join(sorted(taken))


@pytest.mark.parametrize(
    "path", ["/nowhere", "/health/", "/triples/", "/query/x", "/keys/me/", "/Health", "/api/triples", "/a b", "/é"]
)
async def test_any_other_path_is_not_found(world: World, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        check_problem(await world.client.request(method, path), 404, path)


async def test_a_request_id_of_the_clients_is_in_the_problem(world: World) -> None:
    answer = await world.client.get("/stats", headers={"X-Request-ID": "the-clients"})
    assert check_problem(answer, 401, "")["request_id"] == "the-clients"
