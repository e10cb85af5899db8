"""Types of the fields that request models share."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from typing_extensions import TypeAliasType

from skg_site.api.exactness import MAX_EXACT_INTEGER


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# For integers: to JSON, and to every JSON Schema, 5.0 is the integer 5. It comes after `Field`, whose bounds
# would be missing from the documentation otherwise.
WHOLE = BeforeValidator(_whole)

ExactInteger = Annotated[int, Field(ge=-MAX_EXACT_INTEGER, le=MAX_EXACT_INTEGER)]
# What `parse_json` lets through, for the documentation: fields of this type need not be validated once more.
JSONValue = TypeAliasType(
    "JSONValue", "dict[str, JSONValue] | list[JSONValue] | str | bool | ExactInteger | float | None"
)
