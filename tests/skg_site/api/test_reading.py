"""Requests as models: what is accepted as JSON, and what is refused with which status."""

import math
from decimal import Decimal, localcontext
from types import SimpleNamespace
from typing import Annotated, Any, cast
from uuid import UUID

import orjson
import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from skg_site.api.exact_numbers import may_lose_precision
from skg_site.api.problems import BadRequest, Invalid
from skg_site.api.reading import MAX_DEPTH, json_body, parse_json, query_parameters, read_body
from skg_site.api.request import APIRequest


class Point(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    x: Annotated[float, Field(ge=0, le=1)]
    name: str = "nameless"


class Paging(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1)] = 10


def request_with(body: bytes = b"", content_type: bytes | None = b"application/json", query: bytes = b"") -> Request:
    headers = [] if content_type is None else [(b"content-type", content_type)]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": query}
    http = APIRequest(scope, cast("Any", None))
    http._body = body
    return cast("Request", SimpleNamespace(_request=http))


def invalid(body: bytes) -> list[Any]:
    with pytest.raises(Invalid) as caught:
        parse_json(body)
    return caught.value.errors


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b'{"a": [1, -2.5, true, false, null, "x"]}', {"a": [1, -2.5, True, False, None, "x"]}),
        (b' \t\r\n{"a" : 1 }\n', {"a": 1}),
        ('"é\\u00e9\\ud83d\\ude00"'.encode(), "éé\U0001f600"),
        (b'"\\u0000"', "\0"),
        (b"[]", []),
        (b"1e2", 100.0),
    ],
)
def test_json_is_read(body: bytes, content: object) -> None:
    assert parse_json(body) == content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a": 1,}',
        b"[1,]",
        b"{'a': 1}",
        b"{a: 1}",
        b"{} {}",
        b"tru",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b'{"weight": NaN}',
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"0x10",
        b'"a\nb"',
        b'"\\x41"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b"\xff",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\xc0\x80"',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"\x00{}",
        b"{}\x00",
        b"// comment\n{}",
        b"9" * 5000,
    ],
    ids=repr,
)
def test_what_is_no_json_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest, match="not JSON"):
        parse_json(body)


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 2}', b'{"a": 1, "\\u0061": 1}', b'[{"b": {"": 0, "": 0}}]'])
def test_a_key_given_twice_is_refused(body: bytes) -> None:
    [fault] = invalid(body)
    assert fault["type"] == "duplicate_key"


@pytest.mark.parametrize(
    "number",
    [
        "0.1",
        "0.95",
        "-0.0",
        "0e99999999999999999999",
        "1e22",
        "5e-324",
        "1.7976931348623157e308",
        "0.30000000000000004",
        "0.10000000000000001",
        "9007199254740991",
        "-9007199254740991",
        "9007199254740992.0",
        "1.00000000000000000000000000",
        "0.1000000000000000055511151231257827021181583404541015625",
    ],
)
def test_a_number_that_a_double_keeps_is_read(number: str) -> None:
    assert parse_json(number.encode()) == float(number)


@pytest.mark.parametrize(
    "number",
    [
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551616",
        "9007199254740993.0",
        "0.12345678901234567",
        "0.1000000000000000055",
        "3.141592653589793238462643383279",
        "1e309",
        "-1E+400",
        "1e-400",
        "3e-324",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "1" + "0" * 400 + ".5",
        "0." + "3" * 1000,
    ],
)
def test_a_number_that_loses_precision_is_refused_where_it_stands(number: str) -> None:
    body = b'{"deep": [0, {"number": %s}]}' % number.encode()
    assert invalid(body) == [
        {
            "loc": ["deep", 1, "number"],
            "msg": "The number cannot be kept without losing precision",
            "type": "inexact_number",
        }
    ]


def test_inexact_numbers_are_listed_in_the_order_in_which_they_stand() -> None:
    body = b'{"a": [1, 1e999, "1e999", {"b": 12345678901234567890}], "\\"1e999": -0.12345678901234567, "c": 1e3}'
    assert [fault["loc"] for fault in invalid(body)] == [["a", 1], ["a", 3, "b"], ['"1e999']]


def test_digits_within_a_string_are_no_number() -> None:
    assert parse_json(b'["12345678901234567890", "1e999"]') == ["12345678901234567890", "1e999"]


@pytest.mark.parametrize("before", ["", "[", "[0,", '{"a":', "[ ", "[\t", "[\n", "[\r", "[-"])
@pytest.mark.parametrize("number", ["1e5", "1E5", "12345678901234567", "0.1234567890123456", "1.5e-7"])
def test_a_number_that_may_lose_precision_is_seen_wherever_it_stands(before: str, number: str) -> None:
    assert may_lose_precision(f"{before}{number}".encode())


@pytest.mark.parametrize("text", [str(UUID(int=0x4E5 << 64)), "3e4", "12345678901234567890", "x-1e5"])
def test_a_name_with_such_digits_takes_no_closer_check(text: str) -> None:
    assert not may_lose_precision(orjson.dumps({text: [text, 0.5]}))


doubles = st.floats(allow_nan=False, allow_infinity=False)


@given(st.decimals(allow_nan=False, allow_infinity=False) | doubles.map(Decimal))
def test_a_decimal_is_read_as_itself_or_refused(number: Decimal) -> None:
    literal = f"{number:e}"
    try:
        content = parse_json(literal.encode())
    except Invalid:
        # The double is further from it than half of its last digit, or there is none.
        double = float(literal)
        half_of_last_digit = Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)
        with localcontext(prec=2_000):
            assert math.isinf(double) or abs(Decimal(double) - number) >= half_of_last_digit
    else:
        assert content == float(literal)
        assert abs(Decimal(content) - number) <= abs(number) * Decimal("1e-15")


@given(doubles)
def test_every_double_is_read_in_whatever_way_it_is_written(number: float) -> None:
    for literal in (repr(number), f"{number:.16e}", f"{Decimal(number):e}"):
        assert parse_json(literal.encode()) == number


@given(st.integers())
def test_an_integer_is_read_as_itself_or_refused(number: int) -> None:
    if abs(number) < 2**53:
        assert parse_json(b"%d" % number) == number
    else:
        assert invalid(b"%d" % number)[0]["type"] == "inexact_number"


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_stops_at_its_limit(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    parse_json(opening * (MAX_DEPTH - 1) + b"[]" + closing * (MAX_DEPTH - 1))
    for depth in (MAX_DEPTH + 1, 150, 250, 100_000):
        [fault] = invalid(opening * (depth - 1) + b"[]" + closing * (depth - 1))
        assert fault["type"] == "too_deep"


def test_brackets_within_strings_neither_count_nor_hide_any() -> None:
    assert parse_json(b'["' + b"[" * 100 + b'"]') == ["[" * 100]
    [fault] = invalid(b'["]",' * 40 + b"1" + b',"["]' * 40)
    assert fault["type"] == "too_deep"


def test_a_wide_body_may_have_any_number_of_brackets() -> None:
    assert parse_json(b"[" + b"[{}]," * 10_000 + b"1]")[-1] == 1


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"Application/JSON",
        b"application/json; charset=utf-8",
        b'application/json;charset="UTF-8"',
        b"application/json;",
    ],
)
async def test_json_may_say_that_it_is_utf_8(content_type: bytes) -> None:
    assert await read_body(request_with(b"[]", content_type), list) == []


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        b"",
        b"text/plain",
        b"text/json",
        b"application/jsonp",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"application/json; charset=latin-1",
        b"application/json; charset=utf-16",
        b"application/json, text/plain",
        b"\xff\xfe",
    ],
    ids=repr,
)
async def test_a_body_of_another_kind_is_not_read(content_type: bytes | None) -> None:
    with pytest.raises(UnsupportedMediaType, match="application/json"):
        await read_body(request_with(b"[]", content_type), list)


async def test_a_body_becomes_a_model() -> None:
    assert await json_body(request_with(b'{"x": 1}'), Point) == Point(x=1.0)


@pytest.mark.parametrize(
    ("body", "loc", "kind"),
    [
        (b"{}", ["x"], "missing"),
        (b'{"x": "0.5"}', ["x"], "float_type"),
        (b'{"x": true}', ["x"], "float_type"),
        (b'{"x": null}', ["x"], "float_type"),
        (b'{"x": 2}', ["x"], "less_than_equal"),
        (b'{"x": 0, "y": 0}', ["y"], "extra_forbidden"),
        (b'{"x": 0, "name": 1}', ["name"], "string_type"),
        (b"[]", [], "model_type"),
        (b"null", [], "model_type"),
        (b'"{}"', [], "model_type"),
    ],
)
async def test_a_body_of_the_wrong_types_is_refused_with_the_place(body: bytes, loc: list[str], kind: str) -> None:
    with pytest.raises(Invalid) as caught:
        await json_body(request_with(body), Point)
    assert [(fault["loc"], fault["type"]) for fault in caught.value.errors] == [(loc, kind)]


class Listing(BaseModel):
    model_config = ConfigDict(strict=True)

    places: tuple[str, str] = ("", "")
    wanted: Annotated[list[str], Field(min_length=1)] = ["all"]
    exact: bool = False
    cursor: str | None = Field(None, pattern="^[0-9a-f]{16}$")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[]", "Input should be an object"),
        (b'{"places": "ab"}', "Input should be a list"),
        (b'{"wanted": []}', "List should have at least 1 item, not 0"),
        (b'{"exact": "no"}', "Input should be true or false"),
        (b'{"cursor": "abc"}', "This is no cursor of this list: give the one that the answer before had"),
    ],
)
async def test_a_fault_is_told_without_words_of_python(content: bytes, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        await json_body(request_with(content), Listing)
    assert [fault["msg"] for fault in caught.value.errors] == [sentence]


async def test_every_fault_is_listed_and_none_repeats_the_input() -> None:
    with pytest.raises(Invalid) as caught:
        await json_body(request_with(b'{"x": "s3cret", "name": 5, "more": "s3cret"}'), Point)
    assert {tuple(fault["loc"]) for fault in caught.value.errors} == {("x",), ("name",), ("more",)}
    assert "s3cret" not in repr(caught.value.errors)


def test_a_query_string_becomes_a_model() -> None:
    assert query_parameters(request_with(query=b"limit=5"), Paging) == Paging(limit=5)
    assert query_parameters(request_with(), Paging) == Paging()


@pytest.mark.parametrize(
    ("query", "loc"),
    [
        (b"limit=0", ["limit"]),
        (b"limit=", ["limit"]),
        (b"limit=ten", ["limit"]),
        (b"limit=5&limit=6", ["limit"]),
        (b"offset=5", ["offset"]),
    ],
)
def test_a_bad_parameter_is_refused_by_name(query: bytes, loc: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        query_parameters(request_with(query=query), Paging)
    assert [fault["loc"] for fault in caught.value.errors] == [loc]


@pytest.mark.parametrize("query", [b"limit=%FF", b"%C3=1", b"limit=\xff", b"limit=1&x=%ED%A0%80"])
def test_a_query_string_of_no_encoding_is_a_bad_request(query: bytes) -> None:
    with pytest.raises(BadRequest, match="not UTF-8"):
        query_parameters(request_with(query=query), Paging)


def test_the_query_string_is_djangos() -> None:
    query = b"a=1&b=%C3%A9&c=x+y&d&=e&a=2"
    assert QueryDict(query) == request_with(query=query)._request.GET
