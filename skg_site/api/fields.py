"""Types of fields that requests and responses share, and of ids in paths."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from django.urls.converters import UUIDConverter
from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypeAliasType

from skg_site.api.exact_numbers import MAX_EXACT_INTEGER


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# For integers: in JSON and JSON Schema 5.0 is the integer 5. It comes after `Field`, or else OpenAPI would lack the
# bounds.
WHOLE = BeforeValidator(_whole)

# The grammar of JSON. Python's `int` and `float` also take underscores, digits of all scripts and white space.
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)(\.0+)?", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


def _integer_text(value: Any) -> Any:
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise ValueError("must be an integer, in the digits 0 to 9")
    return value


def _number_text(value: Any) -> Any:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("must be a number, written as in JSON")
    return value


# For parameters of a query string, which are texts. They come after `Field`, as `WHOLE` does.
INTEGER_TEXT, NUMBER_TEXT = BeforeValidator(_integer_text), BeforeValidator(_number_text)

# From 0 to 1, including -0.0.
AnyWeight = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, examples=[0.95])]
# Without -0.0, which equals 0.0 and yet has another text and another entity tag.
Weight = Annotated[AnyWeight, AfterValidator((0.0).__add__)]

ExactInteger = Annotated[int, Field(ge=-MAX_EXACT_INTEGER, le=MAX_EXACT_INTEGER)]
# The result of `parse_json`, for OpenAPI: fields of this type need no further validation.
JSONValue = TypeAliasType(
    "JSONValue", "dict[str, JSONValue] | list[JSONValue] | str | bool | ExactInteger | float | None"
)

# Fields of responses, which are text when they are sent.
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
UUIDText = Annotated[str, Field(json_schema_extra={"format": "uuid"})]


def matching(pattern: str, sentence: str) -> tuple[Any, AfterValidator]:
    """For texts of a pattern, which the schema tells. The sentence tells people what it means."""
    expected = re.compile(pattern)

    def check(text: str) -> str:
        if not expected.fullmatch(text):
            raise ValueError(sentence)
        return text

    return Field(json_schema_extra={"pattern": pattern}), AfterValidator(check)


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def parse_rfc3339(text: str) -> datetime:
    """The moment that a text names; raises ValueError. Digits beyond microseconds are dropped."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("must be a time such as 2024-01-15T10:30:00Z")
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("must be a time that there is") from None


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be a text, a time such as 2024-01-15T10:30:00Z")  # noqa: TRY004  # Pydantic wants this one
    return parse_rfc3339(value)


# A field of requests.
MomentIn = Annotated[datetime, BeforeValidator(_moment), Field(examples=["2024-01-15T10:30:00Z"])]


def rfc3339(at: datetime, timespec: str = "milliseconds") -> str:
    """A time in UTC as `Moment`."""
    return at.isoformat(timespec=timespec).replace("+00:00", "Z")


def one_of(values: Iterable[str]) -> Any:
    """The field of a response that has one of these values."""
    return Field(json_schema_extra={"enum": list(values)})


class PublicId(UUIDConverter):
    """A UUID in a path, in small letters or capitals (RFC 9562, 4)."""

    regex = UUIDConverter.regex.replace("a-f", "a-fA-F")
