"""Exports from the admin: a page where there is no file, and a stream that breaks where there is but a part of one."""

from collections.abc import AsyncGenerator

import pytest
from django.test import Client

from skg_site.api.problems import Invalid, Problem
from tests.support.asgi import Exchange, http_scope
from triples.files.processes import EXPORTS

URL = "/admin/triples/importrun/export/"


def begun(admin: Client) -> Exchange:
    """A request for an export, with the session of a user."""
    from skg_site.asgi import application

    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in admin.cookies.values())
    headers = [(b"cookie", cookies.encode())]
    found = Exchange(
        application, http_scope("GET", URL, query=b"format=tsv&compress=none&inferred=without", headers=headers)
    )
    found.arrive(b"")
    return found


def failing(monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], failure: Exception | None) -> None:
    """An export of these pieces, the first of them empty, and then a failure."""

    async def exported(_: list[str]) -> AsyncGenerator[bytes]:
        for piece in pieces:
            yield piece
        if failure is not None:
            raise failure

    monkeypatch.setattr("triples.admin.downloads.exported", exported)


async def test_without_a_place_there_is_a_page_that_says_when_to_try_again(admin: Client) -> None:
    EXPORTS.take()
    EXPORTS.take()
    try:
        sent = begun(admin)
        await sent.finish()
    finally:
        EXPORTS.free()
        EXPORTS.free()
    assert (sent.status, sent.headers["retry-after"]) == (503, "5")
    assert sent.headers["content-type"].startswith("text/html")
    assert "content-disposition" not in sent.headers
    assert b"2 exports at work already" in sent.body


@pytest.mark.parametrize(
    ("problem", "status"),
    [(Problem("The process of the export crashed."), 500), (Invalid([{"loc": [], "msg": "x", "type": "memory"}]), 400)],
)
async def test_what_fails_before_the_first_byte_is_a_page(
    admin: Client, monkeypatch: pytest.MonkeyPatch, problem: Problem, status: int
) -> None:
    failing(monkeypatch, [], problem)
    sent = begun(admin)
    await sent.finish()
    assert (sent.status, "content-disposition" in sent.headers) == (status, False)


async def test_what_fails_later_breaks_the_stream_off(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, [b"", b"a part"], OSError("the export failed"))
    sent = begun(admin)
    with pytest.raises(OSError, match="the export failed") as caught:
        await sent.finish()
    # Django leaves the body of the request open then.
    for entry in caught.traceback:
        if "body_file" in entry.locals:
            entry.locals["body_file"].close()
    assert (sent.status, sent.body) == (200, b"a part")
    assert sent.sent[-1].get("more_body") is True


async def test_a_whole_file_has_an_end(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, [b"", b"all"], None)
    sent = begun(admin)
    await sent.finish()
    assert (sent.status, sent.body, sent.sent[-1].get("more_body", False)) == (200, b"all", False)
    assert sent.headers["content-disposition"] == 'attachment; filename="facts.tsv"'
