"""Conversion to and from the data frames of pandas, an extra: `pip install skg-client[pandas]`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .question_answers import Answers

if TYPE_CHECKING:
    from pandas import DataFrame

_NAMES = ("subject", "predicate", "object", "weight", "metadata")


def frame_of_facts(facts: Iterable[Mapping[str, Any]]) -> "DataFrame":
    """A row for each fact, such as `client.triples()` gives them."""
    import pandas as pd  # noqa: PLC0415  # an extra

    return pd.DataFrame.from_records(list(facts))


def frame_of_answers(answers: Answers) -> "DataFrame":
    """A row for each answer of `client.patterns()`: a column for each variable, without its `?`, and the weight."""
    import pandas as pd  # noqa: PLC0415  # an extra

    names = [variable.removeprefix("?") for variable in answers["variables"]]
    rows = [[*answer["bindings"].values(), answer["weight"]] for answer in answers["results"]]
    return pd.DataFrame(rows, columns=[*names, "weight"])


def facts_of_frame(frame: "DataFrame", **columns: str) -> Iterator[dict[str, Any]]:
    """The rows of a frame as facts for `add_many`. `columns` are those with other names: `subject="source"`.

    Empty cells are left out, and terms that are no texts are written as texts.
    """
    import pandas as pd  # noqa: PLC0415  # an extra

    wanted = {name: columns.get(name, name) for name in _NAMES}
    present = {name: column for name, column in wanted.items() if column in frame.columns}
    for row in frame[list(present.values())].itertuples(index=False, name=None):
        fact = {}
        for name, value in zip(present, row, strict=True):
            if isinstance(value, dict) or not pd.isna(value):
                fact[name] = value if name == "metadata" else float(value) if name == "weight" else str(value)
        yield fact
