"""Types of fields: what they take, and that the documentation says the same."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from skg_site.api.fields import WHOLE, JSONValue


class Model(BaseModel):
    model_config = ConfigDict(strict=True)

    number: Annotated[int, Field(ge=1, le=10), WHOLE] = 1
    anything: SkipValidation[JSONValue] = None


@pytest.mark.parametrize("number", [5, 5.0])
def test_an_integer_may_be_written_with_a_point(number: float) -> None:
    kept = Model.model_validate({"number": number}).number
    assert kept == 5
    assert type(kept) is int


@pytest.mark.parametrize("number", [5.5, "5", True, None, 0.0, 11, 1e300, -5])
def test_other_values_are_no_integer_within_the_bounds(number: Any) -> None:
    with pytest.raises(ValidationError):
        Model.model_validate({"number": number})


def test_the_bounds_are_documented() -> None:
    documented = Model.model_json_schema()["properties"]["number"]
    assert (documented["type"], documented["minimum"], documented["maximum"]) == ("integer", 1, 10)


def test_integers_in_json_are_documented_with_the_bounds_that_the_body_s_reader_sets() -> None:
    kinds = Model.model_json_schema()["$defs"]["JSONValue"]["anyOf"]
    assert {"type": "integer", "minimum": -(2**53) + 1, "maximum": 2**53 - 1} in kinds
