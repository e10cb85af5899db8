"""Long questions of the explorer end with whoever asked them, and with the time limit."""

import asyncio
from contextlib import suppress

import httpx
import pytest

from tests.api.test_ask import ENDLESS, until_idle
from tests.support.asgi import Exchange, http_scope
from tests.support.database import in_orm
from tests.triples.explorer.conftest import VIEW, LogIn
from triples.services.graph import graph
from triples.store.group_commit import write_now
from triples.store.operations import AddMany, Fact
from triples.store.reader import Reader

pytestmark = pytest.mark.both


@pytest.fixture
def many(database: None) -> None:
    from triples.models import Source

    facts = [Fact(f"s{number}", "p", f"o{number}", 1.0, None, Source.API) for number in range(3000)]
    in_orm(write_now, [AddMany(facts)])


@pytest.mark.usefixtures("many")
async def test_a_question_ends_when_its_page_is_left(log_in: LogIn) -> None:
    from skg_site.asgi import application

    client = log_in(*VIEW)
    request = client.build_request("POST", "/explorer/data/query/patterns", json=ENDLESS)
    headers = [(name.lower(), value) for name, value in request.headers.raw if name.lower() != b"host"]
    asked = Exchange(application, http_scope("POST", "/explorer/data/query/patterns", headers=headers))
    asked.arrive(request.content)
    reader = graph.running.long
    assert isinstance(reader, Reader)
    async with asyncio.timeout(10):
        while not any(worker._job for worker in reader._workers):
            await asyncio.sleep(0.01)
    asked.disconnect()
    with suppress(asyncio.CancelledError):
        await asked.finish()
    assert asked.sent == []
    await until_idle()


@pytest.mark.usefixtures("many")
async def test_a_question_answers_what_it_has_found_in_time(log_in: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    client: httpx.AsyncClient = log_in(*VIEW)
    monkeypatch.setattr("triples.services.graph.PART_OF_TIME", 0.0)
    question = {"patterns": [["?x", "p", "?y"]], "group_by": ["?x"]}
    answer = await client.post("/explorer/data/query/patterns", json=question)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "took too long" in answer.json()["detail"]
