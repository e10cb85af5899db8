"""Requests as Pydantic models: strict JSON in, or a problem that names the field."""

import math
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import jiter
from pydantic import BaseModel, ValidationError
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from skg_site.api.door import http_of
from skg_site.api.problems import BadRequest, FieldError, Invalid

Model = TypeVar("Model", bound=BaseModel)

MAX_DEPTH = 32
# Integers beyond this are rounded by every reader that keeps numbers as IEEE 754 doubles (RFC 7493, 2.2).
MAX_EXACT_INTEGER = 2**53 - 1
# No double has more significant decimal digits than this, written out in full.
MAX_SIGNIFICANT_DIGITS = 767

# Folds digits and points to 0 and exponents to e, so that two substring searches find every number
# that could lose precision, and a body without one (nearly all) is parsed only once.
_FOLD = bytes(0x30 if chr(code) in "0123456789." else 0x65 if chr(code) in "eE" else 0x20 for code in range(256))

_CONTAINERS = frozenset({dict, list})
_TOO_DEEP: FieldError = {"loc": [], "msg": f"Nested deeper than {MAX_DEPTH} levels", "type": "too_deep"}


class NotJSON(BadRequest):
    """`reason` says why the body cannot be parsed, and where."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The body is not JSON: {reason}.")
        self.reason = reason


def json_body(request: Request, model: type[Model]) -> Model:
    """The request's JSON body as `model`; 422 with every fault when it is not valid input."""
    return validated(parsed_body(request), model)


def parsed_body(request: Request) -> Any:
    """The request's JSON body; 415 when it is not declared as JSON, 400 when it does not parse."""
    content_type = http_of(request).header(b"content-type")
    if content_type != b"application/json" and not _is_json(content_type):
        raise UnsupportedMediaType(
            content_type.decode("latin-1")[:100] if content_type else "",
            "The body must be sent as application/json, in UTF-8.",
        )
    return parse_json(http_of(request)._body)


def query_parameters(request: Request, model: type[Model]) -> Model:
    """The query string as `model`, whose fields read text; the same parameter twice is refused."""
    try:
        unquote_to_bytes(http_of(request).scope.get("query_string", b"")).decode()
    except UnicodeDecodeError:
        # Django would put U+FFFD in the place of what it cannot read, and another term would be looked for.
        raise BadRequest("The query string is not UTF-8.") from None
    values: dict[str, str] = {}
    for name, items in http_of(request).GET.lists():
        if len(items) > 1:
            raise Invalid([{"loc": [name], "msg": "Given more than once", "type": "duplicate_parameter"}])
        values[name] = items[0]
    return validated(values, model)


def validated(content: Any, model: type[Model]) -> Model:
    """`content` as `model`, or 422 with every fault in it."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise Invalid(field_errors(error)) from None


def field_errors(error: ValidationError, prefix: tuple[str | int, ...] = ()) -> list[FieldError]:
    """Pydantic's findings in the shape that problems carry; never the input itself, which may be secret."""
    return [
        {
            "loc": [*prefix, *fault["loc"]],
            "msg": fault["msg"].removeprefix("Value error, "),
            "type": fault["type"],
        }
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def parse_json(body: bytes, *, levels_above: int = 0) -> Any:
    """Parse strictly: no duplicate keys, no NaN, nothing deeper than 32, no number that loses precision.

    `levels_above`: how deep the body stands already in what it is a part of.
    """
    try:
        content = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        message = str(error)
        if message.startswith("Detected duplicate key"):
            raise Invalid([{"loc": [], "msg": message, "type": "duplicate_key"}]) from None
        if message.startswith("recursion limit exceeded"):
            raise Invalid([_TOO_DEEP]) from None
        raise NotJSON(message) from None
    folded = body.translate(_FOLD)
    if b"0" * 16 in folded or b"0e" in folded:
        exact = jiter.from_json(body, allow_inf_nan=False, float_mode="lossless-float")
        if faults := list(_inexact_numbers(exact, [])):
            raise Invalid(faults)
    levels = MAX_DEPTH - levels_above
    if body.count(b"[") + body.count(b"{") > levels and _is_too_deep(content, levels):
        raise Invalid([_TOO_DEEP])
    return content


def _is_json(content_type: bytes | None) -> bool:
    if content_type is None:
        return False
    media_type, _, parameters = content_type.decode("latin-1").lower().partition(";")
    parameters = parameters.replace(" ", "").replace('"', "")
    return media_type.strip() == "application/json" and parameters in {"", "charset=utf-8"}


def _inexact_numbers(content: Any, loc: list[str | int]) -> list[FieldError]:
    """Walks with its own stack: the content is at most jiter's 200 levels deep, but may be wide."""
    faults: list[FieldError] = []
    stack: list[tuple[Any, list[str | int]]] = [(content, loc)]
    while stack:
        value, place = stack.pop()
        if isinstance(value, dict):
            stack += [(item, [*place, key]) for key, item in value.items()]
        elif isinstance(value, list):
            stack += [(item, [*place, index]) for index, item in enumerate(value)]
        elif isinstance(value, jiter.LosslessFloat):
            if not _is_exact(bytes(value).decode()):
                faults.append(_inexact(place))
        elif isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER:
            faults.append(_inexact(place))
    return faults


def _is_exact(literal: str) -> bool:
    """Whether a decimal literal is the same number after being kept as a double and written again.

    Written, that is, in the shortest way or with as many digits: programs do either.
    """
    mantissa = literal.lower().partition("e")[0].lstrip("-").replace(".", "")
    digits = len(mantissa.strip("0"))
    if digits == 0:
        return True
    value = float(literal)
    if digits > MAX_SIGNIFICANT_DIGITS or value == 0 or math.isinf(value):
        return False
    return Decimal(literal) in {Decimal(repr(value)), Decimal(f"{value:.{digits - 1}e}")}


def _inexact(loc: list[str | int]) -> FieldError:
    return {"loc": loc, "msg": "The number cannot be kept without losing precision", "type": "inexact_number"}


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
