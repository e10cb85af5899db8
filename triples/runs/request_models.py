"""The request body of `POST /recurse`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from skg_site.api.fields import WHOLE, Weight
from skg_site.api.inputs import Input
from triples.fact_validation import asked_text
from triples.recursion.rules import MAX_NAME_LENGTH, clean_name
from triples.runs.options import MAX_NAMES, RunOptions, check_names
from triples.text import text_schema

Names = Annotated[
    list[Annotated[str, AfterValidator(clean_name), text_schema(MAX_NAME_LENGTH, "grandparent")]],
    Field(max_length=MAX_NAMES, examples=[[]]),
    AfterValidator(check_names),
]
Types = Annotated[
    list[Annotated[str, AfterValidator(asked_text)]],
    Field(max_length=MAX_NAMES, examples=[["Person", "Organization"]]),
    AfterValidator(check_names),
]


class Recurse(Input):
    force: Annotated[bool, Field(description="Derive everything anew, even if nothing has changed.")] = False
    max_depth: (
        Annotated[int, Field(ge=1, le=1000, description="Keep proofs of at most this many steps; null for all."), WHOLE]
        | None
    ) = None
    min_weight: Weight = 0.0
    entity_types: Annotated[Types, Field(description="Derive facts of entities of these types only.")] = []
    rules: Annotated[Names, Field(description="Apply these rules only.")] = []

    @property
    def options(self) -> RunOptions:
        return RunOptions.of(self.model_dump())
