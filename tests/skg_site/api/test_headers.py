"""Header fields: lists, media types, encodings and preferences, as clients and proxies write them."""

from collections.abc import Callable
from functools import partial
from time import thread_time

import pytest

from skg_site.api.headers import accepts, elements, entity_tags, is_identity, is_json, seconds_to_wait

LONG = 64 * 1024
JSON = "application/json"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", []),
        (" , ,\t,", []),
        ("a", ["a"]),
        (" a ,, b\t", ["a", "b"]),
        ('a;x="1,2", b', ['a;x="1,2"', "b"]),
        (r'"a\",b", c', [r'"a\",b"', "c"]),
        # A quotation that does not end.
        ('"a, b', ['"a, b']),
        ('a, "b\\', ["a", '"b\\']),
    ],
)
def test_a_list_has_no_empty_elements(value: str, expected: list[str]) -> None:
    assert list(elements(value)) == expected


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON ",
        "application/json; charset=utf-8;",
        "application/json;\tcharset=utf-8",
        "application/json; odata.metadata=minimal",
        "application/json; indent=4",
        "application/json; version=1",
        'application/json ; ; a="x;charset=latin-1" ;CHARSET="UTF-8"',
        "application/json;charset=UTF8",
    ],
)
def test_parameters_that_json_does_not_have_are_ignored(content_type: str) -> None:
    assert is_json(content_type.encode())


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/jsonp",
        "application/json, application/json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-8; charset=utf-16",
        "application/json; charset",
        "application/json charset=utf-8",
        "application/json; charset = utf-8",
        "application/json; " + ";" * LONG + "x",
        "application/json" + " ;\t" * (LONG // 3) + "=",
        'application/json; a="' + "\\" * LONG,
    ],
)
def test_another_type_or_encoding_is_not_json(content_type: str) -> None:
    assert not is_json(content_type.encode())


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("", True),
        (" , ", True),
        ("application/json", True),
        ("text/html, application/json", True),
        ("text/html,,", False),
        ("application/*;q=0.1", True),
        ("application/json;q=0, */*", False),
        ('text/plain;x="application/json, */*"', False),
        ("text/html," * (LONG // 10), True),
    ],
)
def test_what_a_client_accepts(accept: str, taken: bool) -> None:
    assert accepts(accept.encode(), JSON) is taken


@pytest.mark.parametrize(("encoding", "same"), [("", True), ("identity", True), ("Identity,", True), ("gzip", False)])
def test_only_identity_is_no_encoding(encoding: str, same: bool) -> None:
    assert is_identity(encoding.encode()) is same
    assert not is_identity(f"{encoding}, br".encode())


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("", 0),
        ("wait=1", 1),
        ("WAIT=1", 1),
        ("respond-async, wait=10", 10),
        ('wait="5"; foo, wait=7', 5),
        ("wait = 2", 2),
        ("foo; wait=10, wait=20", 20),
        ('foo="wait=10, wait=11"', 0),
        ("wait=300", 300),
        ("wait=301", 300),
        ("wait=" + "9" * 400, 300),
        ("wait=" + "9" * 5000, 300),
        ("wait=" + "0" * 400 + "7", 7),
        ("wait=0", 0),
        ("wait", 0),
        ("wait=", 0),
        ("wait=-1", 0),
        ("wait=+1", 0),
        ("wait=1_0", 0),
        ("wait=1.5", 0),
        ("wait=1e2", 0),
        ("wait=\xb9", 0),
        ("wait=soon, wait=3", 0),
        ("wait=1 2", 0),
        ("x," * LONG, 0),
    ],
)
def test_how_long_a_client_would_wait(prefer: str, seconds: int) -> None:
    assert seconds_to_wait(prefer.encode("latin-1"), 300) == seconds


READERS: list[Callable[[bytes], object]] = [
    is_json,
    is_identity,
    entity_tags,
    partial(accepts, media_type=JSON),
    partial(seconds_to_wait, most=1),
]


@pytest.mark.parametrize("unit", ['"', '",', '"a",', "W/", " ", "\t,", ";", "a;", '\\"', '"\\', "a=b;", 'a="'])
@pytest.mark.parametrize("size", [4000, LONG])
def test_no_header_takes_long(unit: str, size: int) -> None:
    value = unit.encode() * (size // len(unit))
    for field in (value, b"application/json" + value, b"wait=" + value, value + b"x", value + b"\\"):
        for read in READERS:
            start = thread_time()
            read(field)
            # Less than 15 ms on a quiet machine.
            assert thread_time() - start < 0.1, read
