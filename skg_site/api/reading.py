"""Requests read as Pydantic models: strict JSON, or a problem that names the field."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import jiter
from django.core.handlers.asgi import ASGIRequest
from pydantic import BaseModel, ValidationError
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from skg_site.api.exact_numbers import inexact_numbers, may_lose_precision
from skg_site.api.fault_sentences import plain_sentence
from skg_site.api.headers import is_identity, is_json
from skg_site.api.json_value_limit import MAX_VALUES, SMALL_BODY, check_values
from skg_site.api.problems import MAX_REPORTED, BadRequest, FieldError, Invalid, UnsupportedEncoding, shorten
from skg_site.api.request import APIRequest, http_of, joined_values, sole_value

Model = TypeVar("Model", bound=BaseModel)
Result = TypeVar("Result")

MAX_DEPTH = 32
# Of so many inexact numbers all places are found, for a reader that leaves out what has them.
MOST_INEXACT = 1_000

_CONTAINERS = frozenset({dict, list})
# Parses large bodies one at a time, off the event loop; each holds the GIL for milliseconds only.
_reader = ThreadPoolExecutor(1, thread_name_prefix="reading")
_TOO_DEEP: FieldError = {"loc": [], "msg": f"Nested deeper than {MAX_DEPTH} levels", "type": "too_deep"}


class InexactNumbers(Invalid):
    """Numbers of a body lose precision. `content` is all of it, with these numbers as they were read."""

    def __init__(self, content: Any, faults: list[FieldError]) -> None:
        super().__init__(faults[:MAX_REPORTED], stopped=len(faults) > MAX_REPORTED)
        self.content = content


class NotJSON(BadRequest):
    """`reason` says why the body cannot be parsed, and its place."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The body is not JSON: {reason}.")
        self.reason = reason


async def json_body(request: Request, model: type[Model], *, optional: bool = False) -> Model:
    """The JSON body as `model`; 422 with its faults if it is not valid. An `optional` one may be left out."""
    if optional and not (http := http_of(request)).body:
        _refuse_parameters(http)
        return model()
    return await read_body(request, partial(validated, model=model))


async def read_body(
    request: Request,
    read: Callable[[Any], Result],
    *,
    most_values: int = MAX_VALUES,
    read_inexact: Callable[[Any, list[FieldError]], Result] | None = None,
    any_parameters: bool = False,
) -> Result:
    """The result of `read` for the request's JSON body.

    415 if it is not declared as JSON, 400 if it does not parse, 422 if it has more than `most_values`. 422, too, if
    numbers lose precision, unless they are at most `MOST_INEXACT` and `read_inexact` takes the content with the faults;
    and for parameters in the URL, unless there may be any.
    """
    http = http_of(request)
    if not any_parameters:
        _refuse_parameters(http)
    _check_declared(http.header(b"content-type"), http.list_header(b"content-encoding"))
    body = http._body
    if len(body) <= SMALL_BODY:
        return _read(body, read, read_inexact)
    check_values(body, most_values)
    return await asyncio.get_running_loop().run_in_executor(_reader, lambda: _read(body, read, read_inexact))


def _read(
    body: bytes, read: Callable[[Any], Result], read_inexact: Callable[[Any, list[FieldError]], Result] | None
) -> Result:
    try:
        content = parse_json(body)
    except InexactNumbers as refusal:
        faults = inexact_numbers(body, MOST_INEXACT) if read_inexact else []
        if read_inexact is None or len(faults) > MOST_INEXACT:
            raise
        return read_inexact(refusal.content, faults)
    return read(content)


def check_content(request: ASGIRequest) -> None:
    """Refuse a body, of a request of either door, that is not declared as JSON, or is compressed."""
    headers = request.scope["headers"]
    _check_declared(sole_value(headers, b"content-type"), joined_values(headers, b"content-encoding"))


def _check_declared(content_type: bytes | None, encoding: bytes | None) -> None:
    if content_type != b"application/json" and not (content_type and is_json(content_type)):
        raise UnsupportedMediaType(
            content_type.decode("latin-1")[:100] if content_type else "",
            "The body must be sent as application/json, in UTF-8.",
        )
    if encoding is not None and not is_identity(encoding):
        raise UnsupportedEncoding


def _refuse_parameters(http: APIRequest) -> None:
    """Refuse a query string beside a body, or what a client writes into the wrong one would do nothing."""
    if http.scope.get("query_string"):
        message = "This request has no parameters in its URL: what it takes stands in its body"
        if faults := [FieldError(loc=[name], msg=message, type="extra_forbidden") for name in http.GET]:
            raise Invalid(faults)


def query_parameters(request: Request, model: type[Model]) -> Model:
    """The query string as `model`, whose fields parse texts; 422 if a parameter is given twice."""
    return parameters_of(http_of(request), model)


def parameters_of(request: ASGIRequest, model: type[Model]) -> Model:
    """`query_parameters` for a request of either door."""
    try:
        unquote_to_bytes(request.scope.get("query_string", b"")).decode()
    except UnicodeDecodeError:
        # Django would replace faulty bytes by U+FFFD, which is another term.
        raise BadRequest("The query string is not UTF-8.") from None
    values: dict[str, str] = {}
    for name, items in request.GET.lists():
        if len(items) > 1:
            raise Invalid([{"loc": [name], "msg": "Given more than once", "type": "duplicate_parameter"}])
        values[name] = items[0]
    return validated(values, model)


def validated(content: Any, model: type[Model]) -> Model:
    """`content` as `model`; 422 with its faults."""
    if isinstance(content, dict) and len(content) > MAX_REPORTED:
        refuse_many_unknown(content, model)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None


def refuse_many_unknown(content: dict[str, Any], model: type[BaseModel], prefix: tuple[str | int, ...] = ()) -> None:
    """Refuse more unknown members than are reported, which Pydantic would collect first."""
    known = model.model_fields
    unknown = [name for name in content if name not in known]
    if len(unknown) > MAX_REPORTED:
        faults: list[FieldError] = [
            {"loc": [*prefix, name], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}
            for name in unknown[:MAX_REPORTED]
        ]
        raise Invalid(faults, more=len(unknown) - MAX_REPORTED)


def field_errors(error: ValidationError, prefix: tuple[str | int, ...] = ()) -> list[FieldError]:
    """Pydantic's faults as the faults of a problem, without the input, which can be secret."""
    return [
        {
            "loc": [*prefix, *fault["loc"]],
            "msg": plain_sentence(fault),
            "type": fault["type"],
        }
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def parse_json(body: bytes, *, levels_above: int = 0) -> Any:
    """Parse strictly: no duplicate keys, no NaN, nothing deeper than 32, no number that loses precision.

    `levels_above` is the number of levels around the body, if it is a part of another document.
    """
    try:
        content = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        message = str(error)
        if message.startswith("Detected duplicate key"):
            raise Invalid([{"loc": [], "msg": message, "type": "duplicate_key"}]) from None
        if message.startswith("recursion limit exceeded"):
            raise Invalid([_TOO_DEEP]) from None
        raise NotJSON(shorten(message)) from None
    levels = MAX_DEPTH - levels_above
    if body.count(b"[") + body.count(b"{") > levels and _is_too_deep(content, levels):
        raise Invalid([_TOO_DEEP])
    if may_lose_precision(body) and (faults := inexact_numbers(body, MAX_REPORTED)):
        raise InexactNumbers(content, faults)
    return content


def _is_too_deep(content: Any, levels: int) -> bool:
    level: list[Any] = [content]
    for _ in range(levels):
        level = [
            item
            for value in level
            for item in (value.values() if type(value) is dict else value)
            if type(item) in _CONTAINERS
        ]
        if not level:
            return False
    return True
