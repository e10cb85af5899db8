"""The constants that requests about facts ask for."""

from typing import Annotated

from pydantic import AfterValidator, Field

from triples.fact_validation import asked_predicate, asked_text
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, text_schema

AskedSubject = Annotated[str, AfterValidator(asked_text), text_schema(MAX_TERM_LENGTH, "Einstein")]
AskedPredicate = Annotated[str, AfterValidator(asked_predicate), text_schema(MAX_PREDICATE_LENGTH, "discovered")]
AskedObject = Annotated[str, AfterValidator(asked_text), text_schema(MAX_TERM_LENGTH, "Relativity")]

ConstantPattern = Annotated[
    tuple[AskedSubject | None, AskedPredicate | None, AskedObject | None],
    # JSON has arrays only.
    Field(
        strict=False,
        description="Subject, predicate and object; null stands for anything.",
        examples=[["Einstein", None, None]],
    ),
]
