"""What the client sends and expects is what /openapi.json says."""

import inspect
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import orjson
import pytest

from skg_site.client import answers
from skg_site.client.calls import Call, Pages
from skg_site.client.files import ExportOptions, ImportOptions, export_call, import_call
from skg_site.client.methods import AllPages
from skg_site.client.operations import Operations
from skg_site.client.uploading import Upload
from tests.api.operations import DOCUMENT
from tests.skg_site.client.shapes import shape_of_schema, shape_of_type

METHODS = {name: method for name, method in vars(Operations).items() if not name.startswith("_")}
# Arguments for each method: all that it takes, so that all that may be sent is sent.
TERMS: dict[str, Any] = {"subject": "a", "predicate": "p", "object": "b"}
SEARCHED = {"min_weight": 0.5, "include_inferred": True}
AROUND = SEARCHED | {"k": 1, "predicates": ["p"], "direction": "any"}
RULE: dict[str, Any] = {
    "weight": 0.5,
    "head": ["?x", "p", "?y"],
    "body": [["?y", "p", "?x"]],
    "distinct": [["?x", "?y"]],
    "description": "d",
    "enabled": True,
}
ASKED: dict[str, Any] = SEARCHED | {
    "optional": [],
    "absent": [],
    "filter": [],
    "select": ["?x"],
    "k": 1,
    "count": True,
    "include_facts": True,
    "allow_cross_product": True,
    "explain": True,
}
# Groups have no pages.
GROUPED: dict[str, Any] = {"group_by": ["?x"]}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "add": TERMS | {"weight": 0.5, "metadata": {}, "on_duplicate": "keep"},
    "triples": TERMS | {"min_weight": 0.5, "inferred": True, "page_size": 1},
    "triples_page": TERMS | {"min_weight": 0.5, "inferred": True, "limit": 1, "cursor": "c", "count": True},
    "fact": {"id": "i"},
    "change": {"id": "i", "weight": 0.5, "metadata": {}},
    "delete": {"id": "i"},
    "delete_matching": {
        "pattern": [None, "p", None],
        "min_weight": 0.1,
        "max_weight": 0.9,
        "added_after": "t",
        "added_before": "t",
        "all": True,
        "dry_run": True,
    },
    "explain": {"id": "i", "depth": 3},
    "stats": {},
    "query": TERMS | SEARCHED | {"k": 1, "include_metadata": True},
    "patterns": ASKED | GROUPED | {"patterns": [["?x", "p", "?y"]], "cursor": "c"},
    "all_answers": ASKED | {"patterns_": [["?x", "p", "?y"]]},
    "paths": AROUND | {"from_": "a", "to": "b", "max_length": 3, "order": "weight"},
    "neighbours": AROUND | {"term": "a", "include_counts": True},
    "terms": {"search": "a", "match": "fuzzy", "position": "subject", "limit": 1},
    "predicates": {"page_size": 1},
    "rules": {"page_size": 1},
    "rule": {"name": "n"},
    "add_rules": {"rules": {"symmetric": "p"}},
    "change_rule": RULE | {"name": "n"},
    "delete_rule": {"name": "n"},
    "recurse": {
        "force": True,
        "max_depth": 1,
        "min_weight": 0.5,
        "entity_types": ["t"],
        "rules": ["n"],
        "wait": True,
    },
    "run": {"id": "i"},
    "imports": {"page_size": 1},
    "import_of": {"id": "i"},
    "undo_import": {"id": "i", "wait": True},
    "cancel": {"id": "i"},
    "key": {},
    "keys": {"page_size": 1},
    "issue_key": {
        "name": "n",
        "scopes": ["read"],
        "expires_in_seconds": 1,
        "rate": "1/s",
        "allowed_networks": ["::1"],
    },
    "rotate_key": {"id": "i", "grace_seconds": 1},
    "revoke_key": {"id": "i", "lineage": True},
    "health": {},
    "ready": {},
}
# What Prometheus reads is none of a program's business, and a lost update is guarded against by those who see an ETag.
# The newest token goes with every request: test_connecting and tests/service/test_replicas.py hold that.
LEFT_OUT = {"GET /metrics"}
WITHOUT = {"If-Match", "If-None-Match", "SKG-Snapshot"}
# Where the parameter or member that continues a list is added when its next page is asked for.
CURSOR = {"cursor"}
# These bodies are one of several, and are tested by being sent.
ANY_OF_SEVERAL = {"POST /rules", "POST /triples/batch"}
every_method = pytest.mark.parametrize("name", METHODS)


def first_call(name: str) -> Call[Any]:
    made = METHODS[name].make(**ARGUMENTS[name])
    if isinstance(made, Pages):
        return made.first
    return made if isinstance(made, Call) else next(made)


def described(call: Call[Any]) -> dict[str, Any]:
    operation: dict[str, Any] = DOCUMENT["paths"][call.route][call.method.lower()]
    return operation


def batch() -> Call[Any]:
    with Upload({}) as upload:
        assert not upload.take(("a", "p", "b"))
        call = next(upload.rest())
    assert isinstance(call, Call)
    return call


def test_every_operation_has_a_method() -> None:
    documented = {f"{method.upper()} {route}" for route, methods in DOCUMENT["paths"].items() for method in methods}
    files = [import_call(Path("facts.tsv"), {}), export_call("tsv", {})]
    calls = [*map(first_call, METHODS), METHODS["rotate_key"].make(), batch(), *files]
    assert {call.endpoint for call in calls} == documented - LEFT_OUT


@every_method
def test_the_arguments_above_are_all_that_a_method_has(name: str) -> None:
    wanted = set(inspect.signature(METHODS[name].make).parameters)
    if "asked" in wanted:
        wanted = wanted - {"asked"} | ASKED.keys() | (GROUPED.keys() if name == "patterns" else set())
    assert ARGUMENTS[name].keys() == wanted


@every_method
def test_a_method_sends_all_that_the_operation_takes(name: str) -> None:
    call = first_call(name)
    operation = described(call)
    documented = {one["name"] for one in operation.get("parameters", ())} - WITHOUT
    left_to_pages = CURSOR if isinstance(METHODS[name], AllPages) or name == "delete_matching" else set()
    if isinstance(METHODS[name], AllPages):
        left_to_pages = CURSOR | {"count"} | GROUPED.keys()
    sent = {*call.parameters, *call.names, *call.headers}
    assert sent <= documented
    assert documented - sent <= left_to_pages
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None and call.endpoint not in ANY_OF_SEVERAL and call.body is not None:
        members = shape_of_schema(body, DOCUMENT).keys()
        sent = set(orjson.loads(call.body))
        assert sent <= members
        assert members - sent <= left_to_pages
    else:
        assert (call.body is None) == (body is None or call.endpoint == "POST /recurse/{id}/cancel")


@every_method
def test_an_answer_has_the_type_that_the_operation_gives_it(name: str) -> None:
    make = METHODS[name].make
    expected = get_type_hints(make)["return"]
    answer = get_args(expected)[0] if get_origin(expected) in {Call, Pages} else get_args(expected)[-1]
    content = [
        found["content"]["application/json"]["schema"]
        for status, found in described(first_call(name))["responses"].items()
        if status.startswith("2") and "content" in found
    ]
    if not content:
        assert answer is type(None)
    for schema in content:
        shape = shape_of_schema(schema, DOCUMENT)
        if isinstance(METHODS[name], AllPages):
            assert shape["next_cursor"] == (True, ("either", ["'null'", "'string'"]))
            shape = shape[make(**ARGUMENTS[name]).name][1][1]
        assert shape_of_type(answer) == shape


def test_a_batch_and_a_problem_have_the_types_that_the_document_gives_them() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert shape_of_type(answers.StoredBatch) == shape_of_schema(schemas["BatchOut"], DOCUMENT)
    assert shape_of_type(answers.Problem) == shape_of_schema(schemas["ProblemOut"], DOCUMENT)


@pytest.mark.parametrize(
    ("route", "method", "options"),
    [
        ("/import", "post", [*get_type_hints(ImportOptions), "token", "resume"]),
        ("/export", "get", get_type_hints(ExportOptions)),
    ],
)
def test_options_of_files_are_the_documented_ones(route: str, method: str, options: Any) -> None:
    documented = {one["name"] for one in DOCUMENT["paths"][route][method]["parameters"]}
    assert {*options, *({"format"} if route == "/export" else ())} == documented
