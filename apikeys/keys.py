"""Keys as text: made, parsed, checked and compared, without a database or HTTP.

    skg_prod_ 4Xk0vT2a f1QmZ…26 letters and digits 0kD93x
              public id secret                     check digits

The public id names the key in logs and lists. The secret holds 154 bits. The check digits, a CRC-32 of
all that precedes them, tell a mistyped key from an unknown one without a query.
"""

import hmac
import re
import secrets
import string
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from zlib import crc32

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PUBLIC_ID_LENGTH = 8
SECRET_LENGTH = 26
CHECK_LENGTH = 6

_SHAPE = re.compile(rb"(skg_[a-z][a-z0-9]{0,9}_([0-9A-Za-z]{8})[0-9A-Za-z]{26})([0-9A-Za-z]{6})")
_PUBLIC_ID = re.compile(r"[0-9A-Za-z]{8}")


class Fault(StrEnum):
    """Reasons why a text cannot be a key of this service."""

    SHAPE = "shape"
    CHECK_DIGITS = "check_digits"


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """A presented key, as far as its text tells.

    `public_id` is set if the shape is right, so that the log can name a mistyped key too.
    """

    public_id: str | None
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key. Its clear text exists nowhere else and stays out of tracebacks."""

    clear_text: str = field(repr=False)
    public_id: str
    digest: bytes = field(repr=False)


def make_key(environment: str) -> NewKey:
    """A new random key; `environment` is lower-case letters and digits, at most ten, a letter first."""
    public_id = make_public_id()
    body = f"skg_{environment}_{public_id}{_random_text(SECRET_LENGTH)}".encode("ascii")
    token = body + check_digits(body)
    if parse_key(token).fault:
        raise ValueError(f"{environment!r} cannot stand in a key: lower-case letters and digits, at most ten")
    return NewKey(token.decode("ascii"), public_id, digest_of(token))


def parse_key(token: bytes) -> ParsedKey:
    """The parts of a presented key, and the reason if it cannot be one."""
    match = _SHAPE.fullmatch(token)
    if match is None:
        return ParsedKey(None, Fault.SHAPE)
    public_id = match[2].decode("ascii")
    fault = None if hmac.compare_digest(check_digits(match[1]), match[3]) else Fault.CHECK_DIGITS
    return ParsedKey(public_id, fault)


def check_digits(body: bytes) -> bytes:
    return _base62(crc32(body), CHECK_LENGTH).encode("ascii")


def digest_of(token: bytes) -> bytes:
    """The digest by which a key is stored. A fast hash is enough: a random secret of 154 bits cannot be guessed."""
    return sha256(token).digest()


def same_digest(left: bytes, right: bytes) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(left, right)


def configured_digest(key_hash: str) -> bytes | None:
    """The digest in a setting such as `sha256:5e88…`; None for an empty one."""
    return bytes.fromhex(key_hash.removeprefix("sha256:")) if key_hash else None


def make_public_id() -> str:
    return _random_text(PUBLIC_ID_LENGTH)


def is_public_id(text: str) -> bool:
    return _PUBLIC_ID.fullmatch(text) is not None


def _random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _base62(number: int, length: int) -> str:
    """The last `length` digits of `number` in base 62."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
