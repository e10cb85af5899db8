"""Which host a request is for, as it arrives at the socket (RFC 9112, 3.2)."""

import orjson
import pytest

from tests.service.conftest import Connect
from tests.service.wire import HEAD
from tests.support.service import KEY, Service

OWN = f"Authorization: Bearer {KEY}\r\nConnection: close\r\n".encode()


@pytest.mark.parametrize("path", [b"/health", b"/stats", b"/nothing", b"/admin/login/", b"/static/admin/css/base.css"])
@pytest.mark.parametrize(
    ("version", "hosts", "right"),
    [
        (b"1.1", b"", False),
        (b"1.1", b"Host: localhost\r\nHost: localhost\r\n", False),
        (b"1.1", b"Host: a b\r\n", False),
        (b"1.1", b"Host: localhost\r\n", True),
        (b"1.0", b"", True),
        (b"1.0", b"Host: a b\r\n", False),
    ],
)
def test_a_request_names_one_host(connect: Connect, path: bytes, version: bytes, hosts: bytes, right: bool) -> None:
    wire = connect()
    wire.send(b"GET %b HTTP/%b\r\n%b%b\r\n" % (path, version, hosts, OWN))
    status, _, _ = wire.answer()
    assert (status != 400) == right


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (b"http://elsewhere.example/stats", b"localhost", 400),
        (b"http://localhost/stats", b"elsewhere.example", 200),
        (b"HTTP://LOCALHOST:7777/stats?x", b"elsewhere.example", 200),
        (b"http://elsewhere.example:80/static/admin/css/base.css", b"localhost", 400),
        (b"http://elsewhere.example/admin/login/", b"localhost", 400),
        (b"http://localhost", b"localhost", 200),
        (b"http://localhost?a=b", b"localhost", 200),
        (b"http://localhost@elsewhere.example/stats", b"localhost", 400),
        (b"http://elsewhere.example/health", b"localhost", 200),
        (b"ftp://localhost/stats", b"localhost", 400),
        (b"localhost:80", b"localhost", 400),
        (b"http:///stats", b"localhost", 400),
    ],
)
def test_the_host_of_an_absolute_target_counts(connect: Connect, target: bytes, host: bytes, status: int) -> None:
    wire = connect()
    wire.send(b"GET %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (target, host, OWN))
    assert wire.answer()[0] == status


@pytest.mark.parametrize("hosts", [b"", b"Host: localhost\r\nHost: localhost\r\n"])
def test_an_absolute_target_does_not_make_up_for_the_header(connect: Connect, hosts: bytes) -> None:
    wire = connect()
    wire.send(b"GET http://localhost/health HTTP/1.1\r\n%b%b\r\n" % (hosts, OWN))
    assert wire.answer()[0] == 400


def test_a_path_in_an_answer_is_a_path(connect: Connect) -> None:
    wire = connect()
    wire.send(b"GET http://localhost/nothing?a=b HTTP/1.1\r\n" + HEAD + b"\r\n")
    status, _, body = wire.answer()
    assert (status, orjson.loads(body)["instance"]) == (404, "/nothing")


@pytest.mark.parametrize("path", [b"/", b"/admin/", b"/docs", b"/openapi.json", b"/static/admin/css/base.css"])
def test_a_foreign_host_is_refused_by_the_site_without_a_trace_in_the_log(
    wired: Service, connect: Connect, path: bytes
) -> None:
    wire = connect()
    wire.send(b"GET %b HTTP/1.1\r\nHost: evil.example\r\n\r\n" % path)
    status, _, body = wire.answer()
    assert status == 400
    assert b"SKG_ALLOWED_HOSTS" in body
    assert "Traceback" not in wired.log_text
    assert not [line for line in wired.log_lines if "exception" in line or line.get("level") == "error"]
