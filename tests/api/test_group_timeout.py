"""Groups that are not counted in time are no answer: the client is told what to narrow."""

import httpx
import pytest

from tests.api.conftest import StoreFacts

pytestmark = pytest.mark.both


async def test_groups_that_are_not_counted_in_time_are_refused(
    api: httpx.AsyncClient, store_facts: StoreFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_facts(("a", "p", "b"), ("a", "p", "c"))
    monkeypatch.setattr("triples.services.graph.PART_OF_TIME", 0.0)
    question = {"patterns": [["?x", "p", "?y"]], "group_by": ["?x"]}
    answer = await api.post("/query/patterns", json=question)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "took too long" in answer.json()["detail"]
