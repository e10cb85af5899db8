"""The types of what is sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from .answers import Constant

# A constant, a variable such as `?x`, a constant that begins with a question mark, or anything.
Place = str | Constant | Mapping[str, str] | None
Pattern = Sequence[Place]
# The same without variables.
Term = str | Constant | Mapping[str, str]
ConstantPattern = Sequence[Term | None]
# The left side is a variable: ["?c", "!=", "?p"].
Filter = Sequence[str | float | Constant | Sequence[str | float | Constant]]
Direction = Literal["out", "in", "any"]
# A rule or a shorthand, as POST /rules takes it.
NewRule = Mapping[str, Any]
# A fact to add: a mapping with the names of the API, such as a row of an answer, or subject, predicate, object and, if
# there are, weight and metadata.
NewFact = Mapping[str, Any] | Sequence[Any]
