"""The fields of one fact in a file: text, numbers and JSON, of the right types but not yet checked."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from skg_site.api.problems import Invalid
from skg_site.api.reading import NotJSON, parse_json
from triples.exchange.lines import Refused

# Longer numbers are not cached.
MAX_REMEMBERED = 64
NAMES = ("subject", "predicate", "object", "weight", "metadata")
REQUIRED = NAMES[:3]
UNKEPT = ("id", "created_at", "updated_at")

# The most characters of an invalid weight in a message.
SHOWN_CHARACTERS = 40


class Fields(NamedTuple):
    subject: str
    predicate: str
    object: str
    weight: float | None
    metadata: Mapping[str, Any] | None


def fields_of_columns(columns: Sequence[str], names: Sequence[str] | None = None) -> Fields:
    """The fields of text columns, in the order of `Fields` or of a header. An empty weight or metadata is missing."""
    if names is None:
        if len(columns) == len(REQUIRED):
            subject, predicate, object_ = columns
            return Fields(subject, predicate, object_, None, None)
        if not len(REQUIRED) <= len(columns) <= len(NAMES):
            raise Refused(f"has {_counted(len(columns))} instead of 3 to 5")
        names = NAMES[: len(columns)]
    elif len(columns) != len(names):
        raise Refused(f"has {_counted(len(columns))}, the header {len(names)}")
    values = dict(zip(names, columns, strict=True))
    return Fields(
        values["subject"],
        values["predicate"],
        values["object"],
        weight_of(values.get("weight", "")),
        metadata_of(values.get("metadata", "")),
    )


def weight_of(column: str) -> float | None:
    text = column.strip()
    return _number(text) if text else None


def metadata_of(column: str) -> dict[str, Any] | None:
    text = column.strip()
    return _object(text) if text else None


def _counted(columns: int) -> str:
    return "1 column" if columns == 1 else f"{columns} columns"


def fields_of_json(line: bytes) -> Fields:
    """The fields of a JSON object with the API's names."""
    content = _parsed(line, "")
    if not isinstance(content, dict):
        raise Refused("must be a JSON object")
    # Ids and times, as an export may have them, are the database's own.
    if unknown := [name for name in content if name not in NAMES and name not in UNKEPT]:
        raise Refused(f"has the unknown field {unknown[0]!r}")
    if missing := [name for name in REQUIRED if name not in content]:
        raise Refused(f"has no {missing[0]}")
    for name in REQUIRED:
        if not isinstance(content[name], str):
            raise Refused(f"{name} must be a text")
    weight = _checked_number(content["weight"]) if "weight" in content else None
    metadata = content.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise Refused("metadata must be a JSON object")
    return Fields(content["subject"], content["predicate"], content["object"], weight, metadata)


def _number(text: str) -> float:
    return _short_number(text) if len(text) <= MAX_REMEMBERED else _read_number(text)


@lru_cache(4096)
def _short_number(text: str) -> float:
    return _read_number(text)


def _read_number(text: str) -> float:
    shown = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    try:
        value = parse_json(text.encode())
    except NotJSON:
        raise Refused(f"weight must be a number such as 0.5, not {shown!r}") from None
    except Invalid as error:
        raise Refused(f"weight: {error.errors[0]['msg']}") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(f"weight must be a number such as 0.5, not {shown!r}")
    return float(value)


def _checked_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused("weight must be a number")
    return float(value)


def _object(text: str) -> dict[str, Any]:
    content = _parsed(text.encode(), "metadata")
    if not isinstance(content, dict):
        raise Refused("metadata must be a JSON object")
    return content


def _parsed(text: bytes, name: str) -> Any:
    """Parse `text` by the API's rules for JSON. `name` is its field; empty if the text is the whole fact."""
    try:
        # The limit of depth is that of the API, where the field is inside of a fact.
        return parse_json(text, levels_above=1 if name else 0)
    except NotJSON as error:
        reason = error.reason.replace(" at line 1 column ", " at column ")
        raise Refused(f"{name} is not JSON: {reason}".lstrip()) from None
    except Invalid as error:
        fault = error.errors[0]
        place = ".".join(str(part) for part in ([name] if name else []) + fault["loc"])
        reason = fault["msg"].replace(" at line 1 column ", " at column ")
        raise Refused(f"{place}: {reason}" if place else reason) from None
