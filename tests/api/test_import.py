"""Files over HTTP: what is sent is stored, broken connections are gone on with, and all of it can be taken back."""

import asyncio
import gzip
import io
import os
import shutil
import signal
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pyarrow as pa
import pytest
from django.conf import settings
from django.utils import timezone
from prometheus_client import REGISTRY
from pyarrow import parquet

from skg_site.api.request import STREAMED
from tests.api.conftest import Commands
from tests.conftest import ChangeSettings, IssueKey
from tests.support.asgi import Exchange, http_scope
from tests.support.database import in_orm
from tests.triples.commands.test_import_triples import WITH_NOTES, archived
from tests.triples.store.graphs import counted, stored_rows, tallied
from triples.files.processes import IMPORTS, all_ended
from triples.import_runs import ImportRun
from triples.services.imports import SILENCE, START_PATIENCE, import_continue, import_undo_now
from triples.store.backend import backend

pytestmark = [pytest.mark.both, pytest.mark.process, pytest.mark.usefixtures("commands")]

TURTLE = {"more.ttl": b"<http://e.org/e> <http://e.org/p> <http://e.org/f> .\n"}
LINES = "".join(f"s{number}\tp\to\t0.5\n" for number in range(3_000)).encode()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("facts.tsv", content)
        archive.writestr("more.tsv", "one\tp\tmore\n")
    return buffer.getvalue()


def added() -> float:
    return REGISTRY.get_sample_value("skg_triples_added_total", {"source": "import"}) or 0.0


async def test_a_file_is_imported_and_its_import_shown(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/import?name=people.csv&columns=subject=von,predicate=art,object=nach&ignore=*&on_duplicate=replace",
        content=b"von,art,nach,x\na,p,b,1\na,p,b,2\nbad\nc,p,\xff\n",
        headers={"Content-Type": "text/csv; charset=utf-8"},
    )
    assert answer.status_code == 200, answer.text
    content = answer.json()
    counts = {name: content[name] for name in ("read", "inserted", "updated", "duplicates", "refused", "undone")}
    assert counts == {"read": 4, "inserted": 1, "updated": 0, "duplicates": 1, "refused": 2, "undone": 0}
    assert (content["status"], content["format"], content["source"]) == ("finished", "csv", "people.csv")
    assert content["options"]["on_duplicate"] == "replace"
    assert content["first_refused"][0] == "people.csv:4: has 1 column, the header 4"
    assert (await api.get(content["status_url"])).json() == content
    assert (await api.get("/imports")).json() == {"imports": [content], "next_cursor": None}
    [fact] = (await api.get("/triples")).json()["triples"]
    assert (fact["subject"], fact["object"]) == ("a", "b")


@pytest.mark.once
@pytest.mark.in_process
async def test_facts_are_counted_by_the_worker(api: httpx.AsyncClient) -> None:
    before = added()
    assert (await api.post("/import?format=tsv", content=b"a\tp\tb\na\tp\tb\n")).status_code == 200
    assert added() == before + 1


BODIES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "tsv": ("format=tsv", bytes),
    "gzip": ("name=facts.tsv.gz", gzip.compress),
    "zip": ("name=facts.zip&format=tsv", zipped),
}


class Sender:
    """Sends bodies to the application in this process, or a part of one."""

    def __init__(self, key: str) -> None:
        self._headers = [(b"authorization", f"Bearer {key}".encode())]

    def begin(self, query: str) -> Exchange:
        from skg_site.asgi import application

        return Exchange(application, http_scope("POST", "/import", query=query.encode(), headers=self._headers))

    async def break_off(self, query: str, body: bytes) -> ImportRun:
        """Send a part of a body, break the connection, and await the end of the import."""
        sent = self.begin(query)
        for start in range(0, len(body), 5_000):
            sent.arrive(body[start : start + 5_000], more=True)
        sent.disconnect()
        await sent.finish()
        assert sent.sent == []
        await all_ended()
        run = in_orm(ImportRun.objects.first)
        assert run is not None
        return run

    async def send(self, query: str, body: bytes) -> Any:
        sent = self.begin(query)
        sent.arrive(body)
        await sent.finish()
        return sent.content


@pytest.fixture
async def sender(api: httpx.AsyncClient, issue_key: IssueKey) -> Sender:
    return Sender(issue_key())


@pytest.mark.in_process
@pytest.mark.parametrize("kind", ["tsv", *(pytest.param(kind, marks=pytest.mark.once) for kind in ("gzip", "zip"))])
async def test_what_broke_off_is_gone_on_with_where_it_was(sender: Sender, kind: str) -> None:
    query, make = BODIES[kind]
    body = make(LINES)
    run = ImportRun()
    for share in (0.3, 0.7):
        run = await sender.break_off(query, body[: int(len(body) * share)])
        assert (run.status, run.error) == ("broken", "The connection broke before the end of the body.")
        query = f"resume={_token(run)}"
    # Whole lines are stored, and the place after them is known. Of so short a file, gzip gives nothing before the end.
    assert run.read == run.inserted < 3_000
    assert (run.read > 0) == (kind == "tsv")
    ended = await sender.send(query, body)
    more = kind == "zip"
    assert (ended["status"], ended["read"], ended["inserted"]) == ("finished", 3_000 + more, 3_000 + more)
    assert (ended["duplicates"], ended["resume"], ended["error"]) == (0, None, None)
    assert in_orm(tallied) == in_orm(counted) == (3_000 + more, 3_000 + more)
    # An answer that was lost is given again.
    assert await sender.send(query, body) == ended
    undone = in_orm(import_undo_now, run_id=run.id, report=lambda _: None)
    assert (undone.undone, in_orm(stored_rows)) == (3_000 + more, {})


def _token(run: ImportRun) -> str:
    from triples.files.responses import import_content

    token = import_content(run)["resume"]
    assert token is not None
    return token


@pytest.mark.once
@pytest.mark.in_process
async def test_another_body_is_not_taken_for_the_rest(sender: Sender) -> None:
    run = await sender.break_off("format=tsv", LINES[:20_000])
    other = await sender.send(f"resume={_token(run)}", b"x" + LINES)
    assert (other["status"], other["title"]) == (422, "Unprocessable Entity")
    assert "not the one that the import began with" in other["detail"]
    assert other["import"]["inserted"] == run.inserted == len(in_orm(stored_rows))


@pytest.mark.once
@pytest.mark.in_process
async def test_a_body_that_stops_is_not_waited_for(sender: Sender, change_settings: ChangeSettings) -> None:
    change_settings(body_timeout=0.2)
    sent = sender.begin("format=tsv")
    sent.arrive(LINES[:1_000], more=True)
    await sent.finish()
    assert (sent.status, sent.headers["connection"]) == (408, "close")
    assert sent.content["import"]["status"] == "broken"
    assert sent.content["import"]["inserted"] == len(in_orm(stored_rows)) > 0


@pytest.mark.once
@pytest.mark.in_process
async def test_the_time_until_the_process_is_there_is_not_that_of_the_client(sender: Sender) -> None:
    sent = sender.begin("format=tsv")
    while STREAMED not in sent.scope:
        await asyncio.sleep(0.005)
    assert in_orm(ImportRun.objects.count) == 0
    sent.arrive(b"a\tp\tb\n")
    await sent.finish()
    assert sent.status == 200


async def begun(sent: Exchange, number: int) -> ImportRun:
    """The newest of so many imports, once it has begun."""
    while in_orm(ImportRun.objects.count) < number:
        await asyncio.sleep(0.02)
    assert not sent.sent
    run = in_orm(ImportRun.objects.first)
    assert run is not None
    return run


@pytest.mark.in_process
async def test_an_import_that_another_request_continues_is_left_to_it(sender: Sender) -> None:
    sent = sender.begin("format=tsv")
    sent.arrive(LINES[:1_000], more=True)
    run = await begun(sent, 1)
    in_orm(import_continue, run_id=run.id)
    sent.arrive(LINES[1_000:])
    await sent.finish()
    assert (sent.status, sent.content["detail"]) == (409, "Another request has continued this import.")
    # It does not end what the other one does.
    assert in_orm(ImportRun.objects.get).status == "running"


@pytest.mark.in_process
async def test_an_import_that_is_undone_while_it_runs_is_told_so(sender: Sender) -> None:
    sent = sender.begin("format=tsv")
    sent.arrive(LINES[:1_000], more=True)
    run = await begun(sent, 1)
    in_orm(import_undo_now, run_id=run.id, report=lambda _: None)
    sent.arrive(LINES[1_000:])
    await sent.finish()
    assert (sent.status, sent.content["detail"]) == (409, "The import was undone while it ran.")
    assert sent.content["import"]["status"] == "undone"
    assert in_orm(tallied) == in_orm(counted) == (0, 0)


@pytest.mark.once
@pytest.mark.in_process
async def test_an_import_whose_process_is_killed_may_be_sent_again(sender: Sender, commands: Commands) -> None:
    query = "format=tsv&token=killed-once"
    sent = sender.begin(query)
    sent.arrive(LINES[:20_000], more=True)
    await begun(sent, 1)
    # Of the body, nothing is taken before the service knows which import has begun.
    await sent.listening.wait()
    os.kill(commands[-1].pid, signal.SIGKILL)
    sent.arrive(LINES[20_000:])
    await sent.finish()
    assert (sent.status, "retry-after" in sent.headers) == (503, True)
    assert sent.content["import"]["status"] == "broken"
    ended = await sender.send(query, LINES)
    assert (ended["status"], ended["read"], ended["inserted"]) == ("finished", 3_000, 3_000)


@pytest.mark.in_process
async def test_an_import_that_died_with_its_service_is_seen_and_gone_on_with(
    sender: Sender, api: httpx.AsyncClient, commands: Commands
) -> None:
    sent = sender.begin("format=tsv")
    sent.arrive(LINES[:20_000], more=True)
    run = await begun(sent, 1)
    while not in_orm(backend().locks.is_import_locked, run.id):
        await asyncio.sleep(0.02)
    in_orm(lambda: ImportRun.objects.update(touched_at=timezone.now() - 2 * START_PATIENCE))
    [working] = (await api.get("/imports")).json()["imports"]
    os.kill(commands[-1].pid, signal.SIGKILL)
    sent.disconnect()
    await sent.finish()
    await all_ended()
    old = timezone.now() - 2 * START_PATIENCE
    # As if the service had died, too: nobody has said that it has ended.
    in_orm(lambda: ImportRun.objects.update(status="running", error="", finished_at=None, touched_at=old))
    assert working["status"] == "running"
    seen = (await api.get(working["status_url"])).json()
    assert (seen["status"], "with `resume`" in seen["error"]) == ("broken", True)
    assert (await api.get("/imports")).json()["imports"] == [seen]
    ended = await sender.send(f"resume={seen['resume']}", LINES)
    assert (ended["status"], ended["read"], ended["inserted"]) == ("finished", 3_000, 3_000)


@pytest.fixture
def no_spool() -> Iterator[None]:
    """A state folder that takes no files."""
    spool = settings.ENV.state_dir / "spool"
    shutil.rmtree(spool, ignore_errors=True)
    spool.touch()
    yield
    spool.unlink()


@pytest.mark.once
@pytest.mark.usefixtures("no_spool")
async def test_a_fault_of_the_services_disk_is_none_of_the_body(api: httpx.AsyncClient) -> None:
    refused = await api.post("/import?format=tsv", content=zipped(LINES))
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    content = refused.json()["import"]
    assert (content["status"], content["error"]) == ("broken", "The service could not use one of its own files.")
    assert str(settings.ENV.state_dir) not in refused.text


@pytest.mark.once
@pytest.mark.parametrize("name", ["graph.zip", "graph.tsv.zip"])
async def test_a_zip_is_read_as_the_command_reads_it(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.post(f"/import?name={name}&prefix=ex=http://e.org/", content=archived(WITH_NOTES | TURTLE))
    assert answer.status_code == 200, answer.text
    content = answer.json()
    counts = {name: content[name] for name in ("read", "inserted", "refused", "format")}
    assert counts == {"read": 3, "inserted": 3, "refused": 0, "format": "csv, tsv, turtle"}
    reason = "passed over, since neither its name nor its content shows the format of data"
    assert content["first_refused"] == [f"{name}/{other}: {reason}" for other in ("README.txt", "logo.png")]


@pytest.mark.once
@pytest.mark.parametrize(
    ("query", "files", "told"),
    [
        ("", {"README.txt": b"a p b"}, "graph.zip/README.txt: the name does not end in .arrow, "),
        ("", {"README.txt": b"a p b"}, "; give `format`."),
        ("&base=http://e.org/", WITH_NOTES, "`base` is for RDF, not for csv."),
    ],
)
async def test_a_zip_that_cannot_be_read_so_says_why(
    api: httpx.AsyncClient, query: str, files: dict[str, bytes], told: str
) -> None:
    refused = await api.post(f"/import?name=graph.zip{query}", content=archived(files))
    assert refused.status_code == 422
    assert told in refused.json()["detail"]


@pytest.mark.once
async def test_a_damaged_zip_is_told_without_the_place_of_its_copy(api: httpx.AsyncClient) -> None:
    refused = await api.post("/import?format=tsv&name=facts.zip", content=b"PK\x03\x04 and no more")
    assert refused.status_code == 422
    assert refused.json()["detail"] == "facts.zip: cannot be read as a zip: File is not a zip file."


@pytest.mark.once
@pytest.mark.in_process
async def test_a_worker_has_few_imports_at_once(api: httpx.AsyncClient) -> None:
    IMPORTS.take()
    IMPORTS.take()
    try:
        refused = await api.post("/import?format=tsv", content=b"a\tp\tb\n")
    finally:
        IMPORTS.free()
        IMPORTS.free()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert in_orm(ImportRun.objects.count) == 0


FAULTS = [
    ("format=docx", "format"),
    ("format=tsv&colour=red", "colour"),
    ("format=tsv&columns=subject", "columns"),
    ("format=tsv&weight=2", "weight"),
    ("format=tsv&scale_weights=1:1", "scale_weights"),
    ("format=tsv&name=a%00b", "name"),
    ("format=tsv&prefix=nonsense", "prefix"),
    ("resume=nonsense", "resume"),
    ("format=tsv&token=short", "token"),
    ("resume=018d0c8e-9a40-8003-8000-000000000001&strict=true", "resume"),
]


@pytest.mark.once
@pytest.mark.parametrize(("query", "place"), FAULTS)
async def test_faults_of_parameters_are_named(api: httpx.AsyncClient, query: str, place: str) -> None:
    refused = await api.post(f"/import?{query}", content=b"a\tp\tb\n")
    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [[place]]
    # Nobody has to read a regular expression.
    assert "pattern" not in refused.text


@pytest.mark.once
@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("name=facts", ["format"]),
        ("format=ndjson&delimiter=;", ["delimiter"]),
        ("format=csv&entity=x", ["entity"]),
        ("format=tsv&metadata=true", ["metadata"]),
        ("format=csv&graphs=refuse", ["graphs"]),
        ("format=nquads&base=http://e.org/", ["base"]),
        ("format=turtle&header=false", ["header"]),
    ],
)
async def test_faults_that_the_command_finds_are_named_as_parameters(
    api: httpx.AsyncClient, query: str, place: list[str]
) -> None:
    refused = await api.post(f"/import?{query}", content=b"a\tp\tb\n")
    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [place]
    assert "--" not in refused.text
    assert (await api.get("/imports")).json()["imports"] == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("content", "query", "sentence"),
    [
        (b"source,relation,target\n", "", "such as `columns=subject=source,predicate=relation,object=target`; or give"),
        (b"source,relation,target\n", "", "or give `header=false` if this line is a fact."),
        (b"id:ID,name,born:int,:LABEL\n1,Ada,1815,Person\n", "", "give `format=neo4j`."),
        (b"subject,predicate,object\n", "&ignore=x", "`ignore` names 'x'; the columns are subject, predicate, object."),
    ],
)
async def test_what_is_wrong_with_a_file_is_told_with_parameters(
    api: httpx.AsyncClient, content: bytes, query: str, sentence: str
) -> None:
    refused = (await api.post(f"/import?format=csv{query}", content=content)).json()
    assert sentence in refused["detail"]
    assert sentence in refused["import"]["error"]


@pytest.mark.once
async def test_content_that_is_not_what_it_should_be_is_told_with_what_was_stored(api: httpx.AsyncClient) -> None:
    refused = await api.post("/import?format=csv&strict=true", content=b"a,p,b\nbad\nc,p,d\n")
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["errors"][0]["loc"] == ["body"]
    assert problem["import"]["status"] == "broken"
    assert problem["import"]["first_refused"] == ["upload:2: has 1 column instead of 3 to 5"]
    # The same content would end in the same way.
    assert problem["import"]["resume"] is None
    again = await api.post(f"/import?resume={problem['import']['import_id']}", content=b"a,p,b\n")
    assert (again.status_code, "send what is mended" in again.json()["detail"]) == (422, True)


@pytest.mark.once
async def test_a_foreign_encoding_is_415_and_an_unknown_import_404(api: httpx.AsyncClient) -> None:
    assert (await api.post("/import", content=b"x", headers={"Content-Encoding": "br"})).status_code == 415
    unknown = "018d0c8e-9a40-8003-8000-000000000001"
    assert (await api.post(f"/import?resume={unknown}", content=b"x")).status_code == 404
    assert (await api.get(f"/import/{unknown}")).status_code == 404
    assert (await api.post(f"/import/{unknown}/undo")).status_code == 404


@pytest.mark.once
async def test_an_undo_runs_in_a_process_of_its_own(api: httpx.AsyncClient, no_process: list[list[str]]) -> None:
    content = (await api.post("/import?format=tsv", content=b"a\tp\tb\n")).json()
    undoing = await api.post(f"{content['status_url']}/undo")
    assert (undoing.status_code, undoing.json()["status"]) == (202, "undoing")
    assert no_process[0][-4:] == ["imports", "undo", str(content["number"]), "--yes"]
    # Who asks again starts no more of them, until the first has said nothing for long.
    assert (await api.post(f"{content['status_url']}/undo")).status_code == 202
    assert len(no_process) == 1
    in_orm(ImportRun.objects.update, touched_at=timezone.now() - SILENCE)
    assert (await api.post(f"{content['status_url']}/undo")).status_code == 202
    assert len(no_process) == 2
    resumed = await api.post(f"/import?resume={content['import_id']}", content=b"a\tp\tb\n")
    assert resumed.status_code == 409
    in_orm(import_undo_now, run_id=content["number"], report=lambda _: None)
    assert (await api.post(f"{content['status_url']}/undo")).status_code == 200
    assert (await api.get("/stats")).json()["total_triples"] == 0


async def test_the_list_has_pages(api: httpx.AsyncClient) -> None:
    from triples.services.imports import import_begin

    for number in range(3):
        in_orm(import_begin, source=f"{number}", format_name="tsv", requested_by="tests", options={})
    first = (await api.get("/imports?limit=2")).json()
    rest = (await api.get(f"/imports?limit=2&cursor={first['next_cursor']}")).json()
    assert [each["source"] for each in (*first["imports"], *rest["imports"])] == ["2", "1", "0"]
    assert rest["next_cursor"] is None


@pytest.fixture
def other(api: httpx.AsyncClient, issue_key: IssueKey) -> Callable[..., dict[str, str]]:
    """The header of another key."""

    def headers(*scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue_key(name='other', scopes=scopes)}"}

    return headers


@pytest.mark.once
async def test_an_import_belongs_to_the_key_that_began_it(
    api: httpx.AsyncClient, other: Callable[..., dict[str, str]], no_process: list[list[str]]
) -> None:
    begun = (await api.post("/import?format=csv&strict=true", content=b"a,p,b\nbad\n")).json()["import"]
    writer, admin = other("read", "write"), other("write", "admin")
    for headers in (writer, admin):
        taken = await api.post(f"/import?resume={begun['import_id']}", content=b"a,p,b\nbad\n", headers=headers)
        assert (taken.status_code, "Another key began this import" in taken.json()["detail"]) == (403, True)
    undo = f"{begun['status_url']}/undo"
    assert (await api.post(undo, headers=writer)).status_code == 403
    assert not no_process
    assert (await api.post(undo, headers=admin)).status_code == 202
    assert (await api.post(undo)).status_code == 202


async def test_a_key_continues_what_the_key_before_its_rotation_began(api: httpx.AsyncClient) -> None:
    body = b"a,p,b\nbad\n"
    begun = (await api.post("/import?format=csv&strict=true&token=tokentoken", content=body)).json()["import"]
    key = (await api.post("/keys/me/rotate")).json()["key"]
    headers = {"Authorization": f"Bearer {key}"}
    for query in (f"resume={begun['import_id']}", "format=csv&strict=true&token=tokentoken"):
        continued = await api.post(f"/import?{query}", content=body, headers=headers)
        assert (continued.status_code, continued.json()["import"]["number"]) == (422, begun["number"])


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("format=csv", ["strict"]),
        ("format=tsv&strict=true", ["format"]),
        ("format=csv&strict=true&on_duplicate=replace&name=x.csv", ["on_duplicate", "name"]),
        ("format=csv&strict=true&columns=subject=1,predicate=2,object=3", ["columns"]),
    ],
)
@pytest.mark.once
async def test_an_import_is_not_continued_in_another_way(api: httpx.AsyncClient, query: str, fields: list[str]) -> None:
    body = b"a,p,b\nbad\n"
    begun = (await api.post("/import?format=csv&strict=true&token=tokentoken", content=body)).json()["import"]
    refused = await api.post(f"/import?{query}&token=tokentoken", content=body)
    assert refused.status_code == 409
    assert [error["loc"] for error in refused.json()["errors"]] == [[field] for field in fields]
    assert refused.json()["import"] == begun


def expanding_parquet() -> bytes:
    """A few kilobytes, of which each row refers to the same long text."""
    names = pa.array(["a" * 20_000_000, "b"])
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 200, pa.int32()), names)
    table = pa.table({"subject": long, "predicate": ["p"] * 200, "object": ["o"] * 200})
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd", dictionary_pagesize_limit=1 << 30)
    return sink.getvalue()


@pytest.mark.once
@pytest.mark.in_process
async def test_a_file_that_expands_meets_the_limit_of_memory(
    api: httpx.AsyncClient, change_settings: ChangeSettings
) -> None:
    change_settings(import_memory=400)
    body = expanding_parquet()
    assert len(body) < 100_000
    refused = await api.post("/import?format=parquet", content=body)
    assert refused.status_code == 422, refused.text
    assert "needs more than 400 MiB of memory (SKG_IMPORT_MEMORY)" in refused.json()["detail"]
    assert (refused.json()["import"]["status"], refused.json()["import"]["inserted"]) == ("broken", 0)
    assert refused.json()["import"]["resume"] is None
    assert (await api.get("/imports")).json()["imports"][0]["error"] == refused.json()["detail"]
