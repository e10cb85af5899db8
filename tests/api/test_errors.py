"""Every problem of every operation: each operation is made to fail in each way that its documentation lists."""

from http import HTTPStatus
from itertools import starmap
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from apikeys.models import ApiKey, KeyEvent
from skg_site.api.problems import ProblemOut
from tests.api.failures import CONFLICTS, PROVOCATIONS, Provoke, World
from tests.api.operations import DOCUMENT, OPERATIONS, PROBLEM, Operation
from tests.conftest import ChangeSettings, IssueKey
from tests.support.database import in_orm
from triples.models import RecursionRun, Rule, Term, Triple

pytestmark = pytest.mark.both

PROBLEM_TYPE = TypeAdapter(ProblemOut)
EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "BREW"]


def everything_stored() -> list[list[Any]]:
    """All rows, but for when a key was last used."""
    keys = [field.name for field in ApiKey._meta.fields if field.name not in {"last_used_at", "digest"}]
    return [
        list(Term.objects.order_by("id").values()),
        list(Triple.objects.order_by("id").values()),
        list(Rule.objects.order_by("id").values()),
        list(RecursionRun.objects.order_by("id").values()),
        list(ApiKey.objects.order_by("id").values(*keys)),
        list(KeyEvent.objects.order_by("id").values()),
    ]


def check_problem(answer: httpx.Response, status: int, told: str) -> dict[str, Any]:
    """See that an answer is a problem in every respect; `told` is said when it is not."""
    assert answer.status_code == status, f"{told}: {answer.status_code} {answer.text}"
    assert answer.headers["Content-Type"] == PROBLEM, told
    content: dict[str, Any] = answer.json()
    PROBLEM_TYPE.validate_python(content, strict=True)
    # The run or the import that is in the way comes with it; `test_recurse` and `test_import` look at them.
    content.pop("run", None)
    content.pop("import", None)
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


def case(status: int, provoke: Provoke) -> Any:
    # The process of an import has begun when its body stops.
    marks = [pytest.mark.process] if status == 408 else []
    # Of the others, nothing is told by the database.
    marks += [] if status in {404, 412, 503} else [pytest.mark.once]
    return pytest.param(status, provoke, id=str(status), marks=marks)


@pytest.mark.in_process
@pytest.mark.parametrize(("status", "provoke"), list(starmap(case, PROVOCATIONS.items())))
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


@pytest.mark.once
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


@pytest.mark.once
@pytest.mark.in_process
async def test_every_host_but_the_services_is_refused_except_to_probes(world: World) -> None:
    for operation in OPERATIONS:
        answer = await world.client.send(world.request(operation, headers={"Host": "evil.example"}))
        if operation.needs_key:
            check_problem(answer, 400, str(operation))
        else:
            assert answer.status_code == 200, operation


@pytest.mark.once
@pytest.mark.in_process
@pytest.mark.parametrize("name", ["Authorization", "Content-Type"])
async def test_a_header_that_counts_may_come_only_once(world: World, name: str) -> None:
    good = {"Content-Type": "application/json"}
    for operation in OPERATIONS:
        used = {
            "Authorization": operation.needs_key,
            "Content-Type": operation.takes_body,
        }
        if used[name]:
            request = world.request(operation)
            headers = [pair for pair in request.headers.multi_items() if pair[0] != name.lower()]
            value = good.get(name) or request.headers[name]
            request.headers = httpx.Headers([*headers, (name, value), (name, value)])
            content = check_problem(await world.client.send(request), 400, str(operation))
            assert content["detail"] == f"The header {name.lower()} came more than once."


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.takes_json], ids=str)
async def test_what_belongs_into_the_body_is_not_passed_over_in_the_url(world: World, operation: Operation) -> None:
    bodies: list[dict[str, Any]] = [{}]
    if not operation.described["requestBody"].get("required"):
        bodies.append({"json": None})

    for body in bodies:

        async def provoke(world: World, operation: Operation, body: dict[str, Any] = body) -> httpx.Request:
            return world.request(operation, params={"k": 2}, **body)

        answer = await failed(world, operation, 422, provoke)
        assert [error["loc"] for error in answer.json()["errors"]] == [["k"]]


@pytest.mark.once
@pytest.mark.in_process
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


@pytest.mark.once
@pytest.mark.parametrize(
    "path", ["/nowhere", "/health/", "/triples/", "/query/x", "/keys/me/", "/Health", "/api/triples", "/a b", "/é"]
)
async def test_any_other_path_is_not_found(world: World, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        check_problem(await world.client.request(method, path), 404, path)


async def test_a_request_id_of_the_clients_is_in_the_problem(world: World) -> None:
    answer = await world.client.get("/stats", headers={"X-Request-ID": "the-clients"})
    assert check_problem(answer, 401, "")["request_id"] == "the-clients"
