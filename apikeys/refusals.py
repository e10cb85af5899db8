"""Why a request is not let in. The client is told one thing for all reasons; the log tells them apart."""

from dataclasses import dataclass
from enum import StrEnum

REFUSED = "A valid API key is needed, sent as: Authorization: Bearer <key>."


class Reason(StrEnum):
    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A key that is not good, and why; with its public id where it has one."""

    reason: Reason
    key_id: str | None = None
