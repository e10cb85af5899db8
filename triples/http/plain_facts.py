"""The facts of a batch whose texts are plain: printable ASCII, as most are.

The validators of `TripleIn` are calls of Python, three for each fact, which took half of the time that reading a batch
takes. Pydantic reads plain facts without them. It takes none that `TripleIn` would refuse or change: what is not plain,
or not valid, is left to `TripleIn`, which tells the faults.
"""

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, FailFast, SkipValidation, StringConstraints, TypeAdapter, with_config
from typing_extensions import TypedDict

from skg_site.api.fields import AnyWeight, JSONValue
from triples.fact_validation import LONGEST_PREDICATE, LONGEST_TERM, PLAIN_IS_CLEAN, metadata_text
from triples.models import Source
from triples.store.operations import Fact

# White space that only Python knows as such, which Pydantic leaves there, is not printable.
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TERM)]
_Predicate = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_PREDICATE)]


@with_config(ConfigDict(strict=True, extra="forbid"))
class _PlainFact(TypedDict):
    subject: _Text
    predicate: _Predicate
    object: _Text
    weight: NotRequired[AnyWeight]
    metadata: NotRequired[dict[str, SkipValidation[JSONValue]] | None]


_facts = TypeAdapter(Annotated[list[_PlainFact], FailFast()])


def plain_facts(given: Sequence[Any]) -> list[Fact] | None:
    """The facts, each as `TripleIn` would read it. None if one of them is not plain or not valid."""
    if not PLAIN_IS_CLEAN:
        return None
    try:
        facts = [
            Fact(
                read["subject"],
                read["predicate"],
                read["object"],
                read.get("weight", 1.0) + 0.0,
                metadata_text(read.get("metadata")),
                Source.BATCH,
            )
            for read in _facts.validate_python(given)
        ]
    except ValueError:
        # Pydantic's, or that of metadata which is too large.
        return None
    texts = "".join([text for fact in facts for text in fact[:3]])
    return facts if texts.isascii() and texts.isprintable() else None
