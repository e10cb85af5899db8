"""What a check finds: a mark and a sentence."""

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
    """From where on something is worth a warning, and from where on it is a failure."""

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


def told_duration(seconds: float) -> str:
    """A length of time to its two greatest units, such as `3 d 4 h`."""
    rest, parts = round(abs(seconds)), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
