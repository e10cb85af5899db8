"""/openapi.json: valid, complete, and with examples that the service would take and give."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from django.urls import get_resolver
from openapi_spec_validator import validate

from apikeys.scopes import ALL_SCOPES
from skg_site.version import VERSION
from tests.api.operations import DOCUMENT, OPERATIONS, PROBLEM, Operation
from tests.test_docs import api_routes

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"]["version"] == VERSION


@pytest.mark.both
async def test_the_document_is_served_to_everybody(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == DOCUMENT


def test_every_route_is_in_it_and_nothing_else() -> None:
    routes = set(api_routes(get_resolver("skg_site.api_urls").url_patterns))
    # Its messages are described by the Model Context Protocol, and its tools by itself.
    assert {str(operation) for operation in OPERATIONS} == routes - {"POST /mcp"}
    assert "POST /mcp" in routes


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation.id for operation in OPERATIONS]
    assert len(set(names)) == len(names)


@every_operation
def test_an_operation_says_what_it_does(operation: Operation) -> None:
    assert operation.described["summary"]
    assert operation.described["tags"]
    assert all(response["description"] for response in operation.described["responses"].values())


@every_operation
def test_an_operation_says_whom_it_is_for(operation: Operation) -> None:
    if operation.needs_key:
        assert operation.described["security"] == [{"ApiKey": []}]
        assert operation.scope in ALL_SCOPES or "Any valid key may call this." in operation.described["description"]
    else:
        assert operation.route in {"/health", "/ready", "/metrics"}


@every_operation
def test_an_operation_has_its_errors(operation: Operation) -> None:
    expected = {406}
    if operation.needs_key:
        expected |= {401, 403, 429, 503}
    if operation.takes_body:
        expected |= {408, 415, 422} | ({413} if operation.takes_json else set())
    if operation.names_one:
        expected |= {404}
    assert expected <= operation.problems
    for status in operation.problems:
        content = operation.described["responses"][str(status)]["content"]
        assert content == {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}


@every_operation
def test_an_operation_shows_an_example(operation: Operation) -> None:
    if operation.takes_body:
        assert operation.example
    assert list(examples(operation)) or operation.described["responses"].keys() & {"204"}


@every_operation
def test_examples_fit_what_they_are_examples_of(operation: Operation) -> None:
    for schema, example in examples(operation):
        jsonschema.validate(
            example, {**schema, "components": DOCUMENT["components"]}, cls=jsonschema.Draft202012Validator
        )


def examples(operation: Operation) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every example of a body or an answer, with the schema that it stands beside."""
    parts = [operation.described.get("requestBody", {}), *operation.described["responses"].values()]
    for part in parts:
        for media in part.get("content", {}).values():
            for example in media.get("examples", {}).values():
                yield media["schema"], example["value"]


# Files are moved by processes of their own.
FILES = {"/import", "/export"}


@pytest.mark.both
@pytest.mark.parametrize(
    "operation",
    [pytest.param(one, id=str(one), marks=[pytest.mark.process] if one.path() in FILES else []) for one in OPERATIONS],
)
async def test_a_documented_request_is_not_refused_as_invalid(
    api: httpx.AsyncClient, operation: Operation, request: pytest.FixtureRequest
) -> None:
    if operation.path() == "/metrics" and request.config.getoption("--instances"):
        pytest.skip("nginx leads nobody to /metrics")
    answer = await api.request(operation.method, operation.path(), params=operation.parameters, **operation.body)
    assert answer.status_code == 404 if operation.names_one else answer.is_success, answer.text
    response = operation.described["responses"][str(answer.status_code)]
    media_type = answer.headers["Content-Type"].partition(";")[0]
    assert media_type in response["content"]
    if media_type == "application/json":
        schema = {**response["content"][media_type]["schema"], "components": DOCUMENT["components"]}
        jsonschema.validate(answer.json(), schema, cls=jsonschema.Draft202012Validator)


def test_it_names_the_requests_that_a_replica_answers_and_the_answers_with_a_token() -> None:
    def has(headers: list[dict[str, Any]]) -> bool:
        return any((one["in"], one["name"]) == ("header", "SKG-Snapshot") for one in headers)

    reads = {str(operation) for operation in OPERATIONS if has(operation.described.get("parameters", []))}
    writes = {
        (str(operation), status)
        for operation in OPERATIONS
        for status, response in operation.described["responses"].items()
        if "SKG-Snapshot" in response.get("headers", {})
    }
    assert reads == {
        *("GET /triples", "GET /triples/{id}", "GET /triples/{id}/explain", "GET /stats", "GET /terms"),
        *("GET /predicates", "POST /query", "POST /query/patterns", "POST /query/paths", "POST /query/neighbours"),
    }
    assert writes == {
        *(("POST /triples/add", "200"), ("POST /triples/add", "201"), ("POST /triples/batch", "202")),
        *(("PATCH /triples/{id}", "200"), ("DELETE /triples/{id}", "204"), ("POST /triples/delete", "200")),
        *(("POST /import", "200"), ("GET /import/{id}", "200")),
        *(("POST /import/{id}/undo", "200"), ("POST /import/{id}/undo", "202")),
        *(("POST /recurse", "200"), ("POST /recurse", "202"), ("GET /recurse/{id}", "200")),
    }
