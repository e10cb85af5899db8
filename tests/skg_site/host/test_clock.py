"""A clock that is wrong: no start with it, and no failure when it becomes so."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from django.core.checks import run_checks

from skg_site.host.clock import clock_fault
from skg_site.server.lifespan import lifespan
from tests.support.database import in_orm
from tests.triples.store.graphs import fact
from triples.models import Triple
from triples.store.bulk import Loader

FACT = {"subject": "a", "predicate": "b", "object": "c"}
YEAR_NS = 31_556_952 * 10**9
WRONG = {"1969": -YEAR_NS, "before 1902": -100 * YEAR_NS, "2261": 291 * YEAR_NS, "beyond dates": 9000 * YEAR_NS}


@pytest.mark.parametrize(
    ("seconds", "is_wrong"),
    [
        (-86_400, True),
        (0, True),
        (datetime(2023, 12, 31, tzinfo=UTC).timestamp(), True),
        (datetime(2024, 1, 2, tzinfo=UTC).timestamp(), False),
        (datetime(2199, 12, 31, tzinfo=UTC).timestamp(), False),
        (datetime(2200, 1, 1, tzinfo=UTC).timestamp(), True),
        (1e18, True),
    ],
)
async def test_a_clock_that_cannot_be_right_keeps_the_service_from_its_start(
    seconds: float, is_wrong: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skg_site.host.clock.time", lambda: seconds)
    found = [message for message in run_checks() if message.id == "skg_site.E001"]
    assert bool(clock_fault()) == bool(found) == is_wrong
    if is_wrong:
        sent: list[Any] = []

        async def receive() -> dict[str, str]:
            return {"type": "lifespan.startup"}

        async def send(message: Any) -> None:
            sent.append(message)

        await lifespan(receive, send)
        assert sent == [{"type": "lifespan.startup.failed", "message": clock_fault()}]
        assert f"{seconds:.0f} seconds since 1970" in sent[0]["message"]


@pytest.mark.both
@pytest.mark.parametrize("clock_ns", WRONG.values(), ids=WRONG.keys())
async def test_facts_are_added_and_read_by_a_clock_that_becomes_wrong(
    api: httpx.AsyncClient, clock_ns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triples.ids.time_ns", lambda: clock_ns)
    added = await api.post("/triples/add", json=FACT)
    assert added.status_code == 201, added.text
    path = f"/triples/{added.json()['id']}"
    answers = [
        await api.post("/triples/batch", json={"triples": [FACT, FACT | {"subject": "d"}]}),
        await api.post("/query", json={"pattern": [None, None, None]}),
        await api.get("/triples"),
        await api.get(path),
        await api.patch(path, json={"weight": 0.5}),
        await api.delete(path),
    ]
    assert [answer.status_code for answer in answers] == [202, 200, 200, 200, 200, 204]
    in_orm(lambda: Loader().load([fact("x")]))
    assert len((await api.get("/triples")).json()["triples"]) == 2


@pytest.mark.both
async def test_what_was_stored_by_a_clock_before_1970_can_be_read_and_removed(api: httpx.AsyncClient) -> None:
    path = f"/triples/{(await api.post('/triples/add', json=FACT)).json()['id']}"
    assert in_orm(lambda: Triple.objects.extra().update(created_at=-5)) == 1
    assert (await api.get(path)).status_code == 404
    [row] = (await api.get("/triples")).json()["triples"]
    path = f"/triples/{row['id']}"
    assert (await api.get(path)).status_code == 200
    assert (await api.get(f"{path}/explain")).status_code == 200
    assert (await api.delete(path)).status_code == 204
