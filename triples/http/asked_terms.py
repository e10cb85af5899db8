"""The constants that requests about facts ask for.

In the parameters of a list each text is a constant. In JSON a text that begins with a question mark is a variable, here
as everywhere: a place that takes none says so, and an object stands for the constant.
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from triples.fact_validation import asked_predicate, asked_text
from triples.patterns import Variable
from triples.recursion.grammar import place_of, read_place
from triples.recursion.rules import RuleError
from triples.text import MAX_PREDICATE_LENGTH, MAX_TERM_LENGTH, Question, text_limits, text_schema

AskedSubject = Annotated[str, AfterValidator(asked_text), text_schema(MAX_TERM_LENGTH, "Einstein")]
AskedPredicate = Annotated[str, AfterValidator(asked_predicate), text_schema(MAX_PREDICATE_LENGTH, "discovered")]
AskedObject = Annotated[str, AfterValidator(asked_text), text_schema(MAX_TERM_LENGTH, "Relativity")]


def read_asked(clean: Callable[[str], str], longest: int, given: object) -> str | Variable:
    """A place of a pattern: a clean constant, or a variable."""
    # A constant without a question mark costs as much as if there were no variables.
    if type(given) is str and "?" not in given:
        return clean(given)
    place = place_of(read_place(given, longest))
    return place if isinstance(place, Variable) else clean(place)


def place_schema(longest: int, example: str, description: str, question: Question) -> WithJsonSchema:
    """The schema of such a place: a text, or an object for a constant that begins with a question mark."""
    text = {
        "type": "string",
        **text_limits(longest, question=question),
        "description": description,
        "examples": [example],
    }
    constant = {
        "type": "object",
        "description": "A constant that begins with a question mark.",
        "properties": {"term": {"type": "string", **text_limits(longest), "examples": ["?why"]}},
        "required": ["term"],
        "additionalProperties": False,
    }
    return WithJsonSchema({"anyOf": [text, constant]})


def _constant(clean: Callable[[str], str], longest: int, example: str) -> tuple[PlainValidator, WithJsonSchema]:
    def read(given: object) -> str:
        place = read_asked(clean, longest, given)
        if isinstance(place, Variable):
            raise RuleError(
                (),
                f"must be a term: a variable such as {place} is not possible here; "
                f'the constant that begins with a question mark is written {{"term": "{place}"}}',
            )
        return place

    description = f"A constant of 1 to {longest} characters."
    return PlainValidator(read), place_schema(longest, example, description, "nothing")


SubjectConstant = Annotated[str, *_constant(asked_text, MAX_TERM_LENGTH, "Einstein")]
PredicateConstant = Annotated[str, *_constant(asked_predicate, MAX_PREDICATE_LENGTH, "discovered")]
ObjectConstant = Annotated[str, *_constant(asked_text, MAX_TERM_LENGTH, "Relativity")]

ConstantPattern = Annotated[
    tuple[SubjectConstant | None, PredicateConstant | None, ObjectConstant | None],
    # JSON has arrays only.
    Field(
        strict=False,
        description="Subject, predicate and object; null stands for anything. Variables are not possible here.",
        examples=[["Einstein", None, None]],
    ),
]
