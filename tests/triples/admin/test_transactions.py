"""What takes long in the admin is done outside of transactions: on SQLite one of them keeps everybody from writing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.support.facts import store
from tests.triples.admin.test_rules import NEW, RULES
from triples.runs.previews import NoPreview

pytestmark = pytest.mark.both

INFERRED = "/admin/triples/inferredtriple/"


def start_a_run(admin: Client) -> Any:
    return admin.post("/admin/triples/recursionrun/run/", {"min_weight": "0"})


def preview_a_rule(admin: Client) -> Any:
    store(("Ann", "parent_of", "Bob"))
    return admin.post(f"{RULES}add/", NEW | {"_preview": "1"})


def list_inferred_facts(admin: Client) -> Any:
    return admin.get(INFERRED)


def show_a_proof(admin: Client) -> Any:
    return admin.get(f"{INFERRED}018d0c8e-9a40-8002-8000-000000000001/")


def list_facts(admin: Client) -> Any:
    return admin.get("/admin/triples/triple/?q=s:a")


@pytest.mark.parametrize(
    ("ask", "work"),
    [
        (preview_a_rule, "triples.admin.rule_previews.preview"),
        (start_a_run, "triples.admin.runs.run_start"),
        (list_inferred_facts, "triples.admin.inferred.listed"),
        (show_a_proof, "triples.admin.inferred._proof"),
        (list_facts, "triples.admin.fact_list.fact_ids"),
    ],
)
def test_long_work_is_outside_of_a_transaction(
    admin: Client, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Client], Any], work: str
) -> None:
    inside: list[bool] = []

    def look(*_: Any, **__: Any) -> None:
        inside.append(connection.in_atomic_block)
        raise NoPreview("Enough has been seen.")

    monkeypatch.setattr(work, look)
    admin.raise_request_exception = False
    ask(admin)
    assert inside == [False]
