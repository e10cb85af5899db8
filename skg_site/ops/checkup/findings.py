"""The result of a check: a mark and a sentence."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Finding:
    mark: Mark
    text: str


def ok(text: str) -> Finding:
    return Finding(Mark.OK, text)


def warning(text: str) -> Finding:
    return Finding(Mark.WARNING, text)


def failed(text: str) -> Finding:
    return Finding(Mark.FAILED, text)


def not_applicable(text: str) -> Finding:
    return Finding(Mark.NOT_APPLICABLE, text)


@dataclass(frozen=True, slots=True)
class Limits:
    """The values from which something is worth a warning, and from which it is a failure."""

    warning: float
    failure: float


def bad_if_large(value: float, limits: Limits, text: str) -> Finding:
    if value >= limits.failure:
        return failed(text)
    return warning(text) if value >= limits.warning else ok(text)


def bad_if_small(value: float, limits: Limits, text: str) -> Finding:
    if value <= limits.failure:
        return failed(text)
    return warning(text) if value <= limits.warning else ok(text)
