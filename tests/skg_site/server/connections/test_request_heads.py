"""What a request's head says of its target, its host and other protocols."""

import pytest

from skg_site.api.problems import BadRequest
from skg_site.server.connections.request_heads import TRAILERS, Target, head_without_upgrade, put_host, target_of


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (b"/", Target("/", b"/", b"", None)),
        (b"/a%20b?c=%20", Target("/a b", b"/a%20b", b"c=%20", None)),
        (b"//query", Target("//query", b"//query", b"", None)),
        (b"*", Target("*", b"*", b"", None)),
        (b"/http://elsewhere/x", Target("/http://elsewhere/x", b"/http://elsewhere/x", b"", None)),
        (b"http://h", Target("/", b"/", b"", b"h")),
        (b"http://h?a", Target("/", b"/", b"a", b"h")),
        (b"HTTPS://h:1/a?b", Target("/a", b"/a", b"b", b"h:1")),
        (b"http://[::1]:7777/a", Target("/a", b"/a", b"", b"[::1]:7777")),
    ],
)
def test_a_target_has_a_path_and_maybe_a_host(url: bytes, target: Target) -> None:
    assert target_of(url) == target


@pytest.mark.parametrize(
    "url", [b"", b"x", b"h:80", b"ftp://h/", b"http://", b"http:///a", b"http://u@h/", b"http://u:p@h/", b"/\xff"]
)
def test_what_is_no_target_of_this_service_is_a_bad_request(url: bytes) -> None:
    with pytest.raises(BadRequest):
        target_of(url)


def test_the_host_of_the_target_takes_the_place_of_the_header_s() -> None:
    headers = [(b"a", b"1"), (b"host", b"other"), (b"b", b"2")]
    put_host(headers, b"own")
    assert headers == [(b"a", b"1"), (b"host", b"own"), (b"b", b"2")]


@pytest.mark.parametrize("headers", [[], [(b"host", b"a"), (b"host", b"b")]])
def test_it_does_not_mend_a_request_without_a_host_or_with_two(headers: list[tuple[bytes, bytes]]) -> None:
    as_sent = list(headers)
    put_host(headers, b"own")
    assert headers == as_sent


def test_an_offer_is_left_out_and_nothing_else() -> None:
    headers = [
        (b"host", b"h"),
        (b"connection", b"close, Upgrade ,HTTP2-Settings"),
        (b"upgrade", b"h2c"),
        (b"content-length", b"2"),
    ]
    head = head_without_upgrade(b"POST", b"/a?b", "1.1", headers)
    assert head == (b"POST /a?b HTTP/1.1\r\nhost: h\r\nconnection: close,HTTP2-Settings\r\ncontent-length: 2\r\n\r\n")


def test_trailers_are_dropped() -> None:
    TRAILERS.append((b"authorization", b"Bearer key"))
    assert TRAILERS == []
    with pytest.raises(BadRequest):
        TRAILERS.append((b"connection", b"close"))
