"""The form of values that is the same for both databases, in which rows are compared and travel."""

import json
from datetime import UTC, datetime
from typing import Any


def moment_text(moment: datetime) -> str:
    """A time in UTC, to the microsecond; one without a zone is in UTC already."""
    plain = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return plain.isoformat(" ", "microseconds")


def json_text(text: str) -> str:
    """JSON as PostgreSQL's `jsonb` keeps it: keys in one order, and numbers by their value."""
    content = json.loads(text, parse_float=_number)
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _number(text: str) -> Any:
    number = float(text)
    return int(number) if number.is_integer() else number
