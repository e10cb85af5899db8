"""Which scope opens which operation: each key's own, and no other."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, get_resolver

from apikeys.permissions import HasScope
from apikeys.scopes import Scope
from skg_site.api.views import APIViewSet
from tests.conftest import IssueKey

pytestmark = pytest.mark.both

ID = "018d0c8e-9a40-8000-8000-000000000001"
FACT = {"subject": "Einstein", "predicate": "discovered", "object": "Relativity"}
QUERY = {"pattern": ["Einstein", None, None]}


class Operation(NamedTuple):
    method: str
    path: str
    scope: str
    body: Any = None


OPERATIONS = [
    Operation("GET", "/triples", "read"),
    Operation("POST", "/triples/add", "write", FACT),
    Operation("POST", "/triples/batch", "write", {"triples": [FACT]}),
    Operation("POST", "/triples/delete", "write", {"pattern": ["Einstein", None, None]}),
    Operation("GET", f"/triples/{ID}", "read"),
    Operation("PATCH", f"/triples/{ID}", "write", {"weight": 0.5}),
    Operation("DELETE", f"/triples/{ID}", "write"),
    Operation("POST", "/query", "read", QUERY),
    Operation("POST", "/query/patterns", "read", {"patterns": [["?x", "p", "?y"]]}),
    Operation("POST", "/query/neighbours", "read", {"term": "a"}),
    Operation("POST", "/query/paths", "read", {"from": "a", "to": "b"}),
    Operation("GET", f"/triples/{ID}/explain", "read"),
    # What is no format is refused once the operation is allowed, so that no process is started here.
    Operation("POST", "/import?format=none", "write"),
    Operation("GET", f"/import/{ID}", "read"),
    Operation("POST", f"/import/{ID}/undo", "write"),
    Operation("GET", "/imports", "read"),
    Operation("GET", "/export?format=none", "read"),
    Operation("GET", "/terms?search=a", "read"),
    Operation("GET", "/predicates", "read"),
    Operation("GET", "/stats", "read"),
    Operation("GET", "/rules", "read"),
    Operation("POST", "/rules", "recurse", {"symmetric": "near"}),
    Operation("GET", "/rules/near", "read"),
    Operation("PATCH", "/rules/near", "recurse", {"weight": 0.5}),
    Operation("DELETE", "/rules/near", "recurse"),
    Operation("POST", "/recurse", "recurse", {"rules": ["no such rule"]}),
    Operation("GET", f"/recurse/{ID}", "read"),
    Operation("POST", f"/recurse/{ID}/cancel", "recurse"),
    Operation("POST", "/mcp", "", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    Operation("GET", "/keys/me", ""),
    Operation("POST", "/keys/me/rotate", ""),
    Operation("GET", "/keys", "admin"),
    Operation("POST", "/keys", "admin", {"name": "bob", "scopes": ["admin"]}),
    Operation("POST", "/keys/4Xk0vT2a/revoke", "admin"),
    Operation("POST", "/keys/4Xk0vT2a/rotate", "admin"),
]


@pytest.mark.once
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
async def test_an_operation_opens_to_its_scope_alone(
    anonymous: httpx.AsyncClient, issue_key: IssueKey, operation: Operation
) -> None:
    for scope in Scope:
        headers = {"Authorization": f"Bearer {issue_key(scopes=[scope])}"}
        answer = await anonymous.request(operation.method, operation.path, json=operation.body, headers=headers)
        if operation.scope in {"", scope}:
            # A run of rules that are not there is refused once it is allowed, so that none is started here.
            assert answer.status_code in {200, 201, 202, 404, 422}, answer.text
        else:
            assert answer.status_code == 403
            assert answer.json()["detail"] == f"This needs a key with the scope {operation.scope}."


def test_the_table_above_has_every_operation_that_needs_a_key() -> None:
    told = {(view.__name__, action, view.scopes[action]) for view, action in guarded_actions()}
    assert len(told) == len(OPERATIONS)
    assert sorted(scope for _, _, scope in told) == sorted(operation.scope for operation in OPERATIONS)


def test_an_action_without_a_scope_is_a_mistake_of_ours() -> None:
    view = APIViewSet(action="forgotten")
    with pytest.raises(ImproperlyConfigured, match="forgotten"):
        HasScope().has_permission(None, view)  # type: ignore[arg-type]  # it does not come to look at the request


def guarded_actions() -> Iterator[tuple[type[APIViewSet], str]]:
    for pattern in patterns(get_resolver("skg_site.api_urls")):
        view = pattern.callback.cls  # type: ignore[attr-defined]  # DRF puts it there
        if HasScope in view.permission_classes:
            for method, action in pattern.callback.actions.items():  # type: ignore[attr-defined]  # as above
                if method != "head":
                    yield view, action


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern)
        else:
            yield pattern
