"""Masking of keys in logs and traces: of whatever looks like a key, and of what the caller sent as one.

Clients put keys in the wrong places: in a path, a Host, an X-Request-ID. So the finished log lines and the exported
spans are masked, rather than single fields.
"""

import re
from collections.abc import MutableMapping, Sequence
from contextvars import ContextVar
from typing import Any

# The public id names the key and may be seen. After it comes the secret, or as much of it as was sent.
_KEY = re.compile(rb"(skg_[a-z][a-z0-9]{0,9}_[0-9A-Za-z]{8})[0-9A-Za-z]+")
BEGINNING = b"skg_"
MASK = "***"
# The key of SKG_API_KEY_HASH may be any text. Shorter ones are not masked: they could occur in any line.
LEAST_SECRET = 16
# The fields of a log line that may repeat what a client sent. The others must not depend on it.
REPEATING = ("exception", "error", "path")

Headers = Sequence[tuple[bytes, bytes]]

_headers: ContextVar[Headers] = ContextVar("headers", default=())


# Remembers the headers of the request for the log lines that this task will write.
guard_request = _headers.set


def masked(text: bytes) -> bytes:
    """Mask what looks like a key in a text, which may be JSON."""
    return _KEY.sub(rb"\1" + MASK.encode(), text) if BEGINNING in text else text


def masked_text(text: str) -> str:
    return masked(text.encode("utf-8", "backslashreplace")).decode()


def masked_for_people(text: str) -> str:
    """Mask a text for people: what looks like a key, and what this task's caller sent as one."""
    return masked_value(text.encode("utf-8", "backslashreplace"), _headers.get()).decode()


def masked_value(value: bytes, headers: Headers) -> bytes:
    """Mask the value of one of these headers: what looks like a key, and what the headers show as one."""
    secret = shown_key(headers)
    return masked(value.replace(secret, MASK.encode()) if secret else value)


def shown_key(headers: Headers) -> bytes | None:
    """The key in the headers, if it is long enough to be masked."""
    for name, value in headers:
        if name == b"authorization":
            secret = value.partition(b" ")[2].strip() or value
            return secret if len(secret) >= LEAST_SECRET else None
    return None


def without_shown_key(event: MutableMapping[str, Any], names: Sequence[str] = REPEATING) -> None:
    """Mask the key of this task's caller in these fields of a log line."""
    if secret := shown_key(_headers.get()):
        for name in event.keys() & set(names):
            event[name] = _without(event[name], secret.decode("latin-1"))


def _without(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return value.replace(secret, MASK)
    if isinstance(value, dict):
        return {name: _without(item, secret) for name, item in value.items()}
    return [_without(item, secret) for item in value] if isinstance(value, list) else value
