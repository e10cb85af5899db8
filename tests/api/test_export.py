"""Facts as a file over HTTP."""

import asyncio
import os
import signal
from contextlib import suppress

import httpx
import pytest

from tests.api.conftest import Commands
from tests.conftest import ChangeSettings, IssueKey
from tests.support.asgi import Exchange, http_scope
from tests.support.database import in_orm
from tests.triples.store.graphs import fact
from triples.files import export_view
from triples.files.processes import EXPORTS
from triples.store.bulk import Loader

pytestmark = [pytest.mark.both, pytest.mark.process, pytest.mark.usefixtures("commands")]


@pytest.fixture
def graph(database: None) -> None:
    in_orm(Loader().load, [fact("a", weight=0.5, metadata='{"n":1}'), fact("b"), fact("c", "q")])


@pytest.mark.usefixtures("graph")
async def test_what_matches_comes_as_a_file_that_can_be_imported(api: httpx.AsyncClient) -> None:
    answer = await api.get("/export?format=tsv&predicate=p&min_weight=0.1")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/tab-separated-values"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="facts.tsv"'
    assert answer.headers["Content-Encoding"] in {"gzip", "zstd"}
    assert sorted(answer.text.splitlines()) == ['a\tp\to\t0.5\t{"n":1}', "b\tp\to"]
    again = await api.post("/import?format=tsv", content=answer.content)
    assert (again.json()["read"], again.json()["duplicates"]) == (2, 2)


@pytest.mark.usefixtures("graph")
async def test_a_compressed_file_stays_compressed(api: httpx.AsyncClient) -> None:
    answer = await api.get("/export?format=parquet&compress=none")
    assert answer.content.startswith(b"PAR1")
    zipped = await api.get("/export?compress=zip&ids=true")
    assert zipped.content.startswith(b"PK")
    assert zipped.headers["Content-Disposition"] == 'attachment; filename="facts.ndjson.zip"'
    assert "Content-Encoding" not in zipped.headers


@pytest.mark.once
async def test_head_asks_for_the_headers_alone(api: httpx.AsyncClient) -> None:
    answer = await api.head("/export?format=csv&compress=xz")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"] == "application/x-xz"
    assert "Content-Length" not in answer.headers


@pytest.mark.once
async def test_terms_that_are_longer_than_new_ones_may_be_are_asked_for(api: httpx.AsyncClient) -> None:
    """They may be there, of a time with another SKG_MAX_TERM_LENGTH."""
    assert (await api.head(f"/export?subject={'x' * 10_000}&object={'y' * 501}")).status_code == 200


@pytest.mark.once
@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("format=docx", "format"),
        ("inferred=yes", "inferred"),
        ("min_weight=3", "min_weight"),
        ("subject=%00", "subject"),
    ],
)
async def test_faults_are_named(api: httpx.AsyncClient, query: str, place: str) -> None:
    refused = await api.get(f"/export?{query}")
    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [[place]]


@pytest.mark.once
async def test_what_the_format_cannot_carry_is_refused_before_the_stream(api: httpx.AsyncClient) -> None:
    assert (await api.get("/export?format=tsv&safe_csv=true")).json()["errors"][0]["loc"] == ["safe_csv"]
    for query in (
        "format=turtle&weights=graphs",
        "format=tsv&weights=graphs",
        "format=nquads&plain=true&weights=graphs",
    ):
        refused = await api.get(f"/export?{query}")
        assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["weights"])
    assert (await api.get("/export?format=turtle&weights=annotations&plain=false")).status_code == 200
    assert (await api.get("/export?format=csv", headers={"Accept": "application/json"})).status_code == 406


@pytest.mark.in_process
@pytest.mark.once
async def test_a_worker_has_few_exports_at_once(api: httpx.AsyncClient) -> None:
    EXPORTS.take()
    EXPORTS.take()
    try:
        assert (await api.get("/export")).headers["Retry-After"] == "5"
    finally:
        EXPORTS.free()
        EXPORTS.free()


async def exported(issue_key: IssueKey, query: bytes = b"format=tsv") -> Exchange:
    from skg_site.asgi import application

    headers = [(b"authorization", f"Bearer {issue_key()}".encode())]
    return Exchange(application, http_scope("GET", "/export", query=query, headers=headers))


@pytest.mark.in_process
@pytest.mark.usefixtures("graph", "api")
async def test_a_stream_that_breaks_has_no_end(
    issue_key: IssueKey, monkeypatch: pytest.MonkeyPatch, change_settings: ChangeSettings
) -> None:
    in_orm(Loader().load, [fact(f"s{number}" * 20) for number in range(5_000)])
    monkeypatch.setattr(export_view, "PIECE_BYTES", 1_000)
    monkeypatch.setattr(export_view, "LOOK_AGAIN_SECONDS", 0)
    change_settings(export_timeout=0.001)
    sent = await exported(issue_key)
    sent.arrive(b"")
    await sent.finish()
    assert sent.status == 200
    assert sent.sent[-1].get("more_body") is True
    assert 1_000 <= len(sent.body) < 10_000


@pytest.mark.in_process
@pytest.mark.usefixtures("graph", "api")
async def test_a_whole_stream_has_an_end(issue_key: IssueKey) -> None:
    sent = await exported(issue_key)
    sent.arrive(b"")
    await sent.finish()
    assert sent.sent[-1] == {"type": "http.response.body", "body": b""}
    assert sent.body.count(b"\n") == 3


@pytest.mark.once
async def test_a_term_of_two_dashes_is_a_term(api: httpx.AsyncClient) -> None:
    for subject in ("--", "a"):
        await api.post("/triples/add", json={"subject": subject, "predicate": "p", "object": "o"})
    assert (await api.get("/export?subject=--&format=tsv")).content.startswith(b"--\tp\to")
    refused = await api.post("/import?format=csv&delimiter=--", content=b"a--p--b\n")
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["delimiter"])


@pytest.mark.in_process
@pytest.mark.once
@pytest.mark.parametrize(
    ("ending", "status", "told"),
    [(signal.SIGKILL, 503, "was ended from outside"), (signal.SIGABRT, 500, "crashed")],
)
@pytest.mark.usefixtures("graph", "api")
async def test_a_process_that_dies_before_the_stream_is_a_problem(
    issue_key: IssueKey, commands: Commands, ending: int, status: int, told: str
) -> None:
    sent = await exported(issue_key)
    sent.arrive(b"")
    while not commands:
        await asyncio.sleep(0.01)
    os.kill(commands[-1].pid, ending)
    await sent.finish()
    assert (sent.status, sent.headers["content-type"]) == (status, "application/problem+json")
    assert told in sent.content["detail"]
    assert EXPORTS._taken == 0


@pytest.mark.in_process
@pytest.mark.once
@pytest.mark.usefixtures("api")
async def test_a_process_that_dies_within_the_stream_breaks_it_off(
    issue_key: IssueKey, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_orm(Loader().load, [fact(f"s{number}" * 40) for number in range(5_000)])

    async def kill(*_: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(commands[-1].pid, signal.SIGKILL)

    monkeypatch.setattr(export_view, "PIECE_BYTES", 1_000)
    monkeypatch.setattr(export_view, "LOOK_AGAIN_SECONDS", 0)
    monkeypatch.setattr(export_view.ExportViewSet, "_look", kill)
    sent = await exported(issue_key)
    sent.arrive(b"")
    await sent.finish()
    assert sent.status == 200
    assert sent.sent[-1].get("more_body") is True
