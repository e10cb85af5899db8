"""Keys in what is logged or traced: whatever looks like one, or is what the caller showed as one, is masked.

Clients put keys into the wrong places: into a path, a Host, an X-Request-ID. So no single place is guarded, but the
finished lines of the log and the spans on their way out.
"""

import re
from collections.abc import MutableMapping, Sequence
from contextvars import ContextVar
from typing import Any

# The public id may be seen: it names the key. Behind it stands the secret, or as much of it as was sent.
_KEY = re.compile(rb"(skg_[a-z][a-z0-9]{0,9}_[0-9A-Za-z]{8})[0-9A-Za-z]+")
BEGINNING = b"skg_"
MASK = "***"
# The key of SKG_API_KEY_HASH may be any text. Shorter ones are not looked for: they could stand in any line.
LEAST_SECRET = 16
# The members of a line that may repeat what a client sent. What others say must not depend on it.
REPEATING = ("exception", "error", "path")

Headers = Sequence[tuple[bytes, bytes]]

_headers: ContextVar[Headers] = ContextVar("headers", default=())


# Remembers, for the lines that this task will write, what the caller of its request shows as a key.
guard_request = _headers.set


def masked(text: bytes) -> bytes:
    """The text, which may be JSON, without what looks like a key."""
    return _KEY.sub(rb"\1" + MASK.encode(), text) if BEGINNING in text else text


def masked_text(text: str) -> str:
    return masked(text.encode("utf-8", "backslashreplace")).decode()


def masked_for_people(text: str) -> str:
    """A text that no program reads, without what looks like a key or is shown as one by this task's caller."""
    return masked_value(text.encode("utf-8", "backslashreplace"), _headers.get()).decode()


def masked_value(value: bytes, headers: Headers) -> bytes:
    """The value of one of these headers, without what looks like a key or is shown as one."""
    secret = shown_key(headers)
    return masked(value.replace(secret, MASK.encode()) if secret else value)


def shown_key(headers: Headers) -> bytes | None:
    """What the headers show as a key, if it is long enough to be looked for."""
    for name, value in headers:
        if name == b"authorization":
            secret = value.partition(b" ")[2].strip() or value
            return secret if len(secret) >= LEAST_SECRET else None
    return None


def without_shown_key(event: MutableMapping[str, Any], names: Sequence[str] = REPEATING) -> None:
    """Mask in these members of a line what this task's caller shows as a key."""
    if secret := shown_key(_headers.get()):
        for name in event.keys() & set(names):
            event[name] = _without(event[name], secret.decode("latin-1"))


def _without(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return value.replace(secret, MASK)
    if isinstance(value, dict):
        return {name: _without(item, secret) for name, item in value.items()}
    return [_without(item, secret) for item in value] if isinstance(value, list) else value
