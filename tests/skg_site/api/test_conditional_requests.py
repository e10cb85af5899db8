"""Entity tags out, If-Match in."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from rest_framework.request import Request

from skg_site.api.conditional_requests import entity_tag, versions_to_match
from skg_site.api.problems import BadRequest
from skg_site.api.request import APIRequest
from tests.support.asgi import http_scope


def request_with(*if_match: bytes) -> Request:
    http = APIRequest(http_scope(headers=[(b"if-match", value) for value in if_match]), cast("Any", None))
    return cast("Request", SimpleNamespace(_request=http))


def test_a_tag_is_the_version_in_quotes() -> None:
    assert entity_tag("3f2a") == '"3f2a"'


@pytest.mark.parametrize(
    ("if_match", "versions"),
    [
        (b'"3f2a"', {"3f2a"}),
        (b'"3f2a", "77"', {"3f2a", "77"}),
        (b'  "3f2a","77"  ', {"3f2a", "77"}),
        (b'""', {""}),
        (b'"a,b", "c"', {"a,b", "c"}),
        (b'"*"', {"*"}),
        # A weak tag names a meaning, not a version: If-Match compares strongly.
        (b'W/"3f2a"', set()),
        (b'W/"3f2a", "77"', {"77"}),
        (b'"3f2a",', {"3f2a"}),
        (b',, "3f2a",,\t"77" ,', {"3f2a", "77"}),
        (b'"caf\xe9"', {"caf\xe9"}),
    ],
)
def test_the_versions_are_those_of_the_strong_tags(if_match: bytes, versions: set[str]) -> None:
    assert versions_to_match(request_with(if_match)) == frozenset(versions)


@pytest.mark.parametrize("if_match", [[], [b"*"], [b" * "]])
def test_without_a_condition_any_version_will_do(if_match: list[bytes]) -> None:
    assert versions_to_match(request_with(*if_match)) is None


@pytest.mark.parametrize(
    "if_match",
    [b"", b"3f2a", b'"3f2a', b'3f2a"', b'"a" "b"', b'*, "a"', b'"a", *', b'w/"a"', b",", b'"a\x7f"', b"'a'"],
)
def test_anything_else_is_a_bad_request(if_match: bytes) -> None:
    with pytest.raises(BadRequest, match="If-Match must be"):
        versions_to_match(request_with(if_match))


def test_a_list_may_come_in_several_lines() -> None:
    assert versions_to_match(request_with(b'"a"', b'"b", "c"')) == frozenset("abc")
    assert versions_to_match(request_with(b"*", b"*")) is None
    with pytest.raises(BadRequest, match="If-Match must be"):
        versions_to_match(request_with(b'"a"', b"*"))
