"""Parsers of header fields (RFC 9110): lists, media types, encodings, entity tags and preferences."""

import re
from collections.abc import Iterator
from functools import lru_cache

# Longer values are not cached: clients choose them.
MAX_REMEMBERED = 256
# Longer lists of preferences are ignored, and a longer media type is not JSON.
MAX_PREFERENCES = 4096

_OWS = r"[ \t]*+"
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_PARAMETER = rf"{_OWS};{_OWS}(?:({_WORD})=({_WORD}|{_QUOTED}))?"
_MEDIA_TYPE = re.compile(rf"{_OWS}({_WORD}/{_WORD})((?:{_PARAMETER})*+){_OWS}", re.ASCII)
_PARAMETERS = re.compile(_PARAMETER, re.ASCII)
# A quotation without an end extends to the end of the text: backtracking would take quadratic time.
_ELEMENT = re.compile(r'(?:"(?:[^"\\]|\\.?)*+(?:"|$)|[^",])++', re.DOTALL)
_NO_WEIGHT = re.compile(r"q\s*=\s*0(\.0{0,3})?", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'[ \t,]*+((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*+(?=,|$)')
_PREFERENCE = re.compile(rf"({_WORD})(?:{_OWS}={_OWS}({_WORD}|{_QUOTED}))?{_OWS}(?:;.*)?", re.ASCII | re.DOTALL)
_NUMBER_OF_SECONDS = re.compile(r"[0-9]+", re.ASCII)


def elements(value: str) -> Iterator[str]:
    """The elements of a list, without empty ones; commas in quotes do not separate elements."""
    return (element for found in _ELEMENT.finditer(value) if (element := found[0].strip(" \t")))


def is_json(content_type: bytes) -> bool:
    """True if a Content-Type is JSON in UTF-8; parameters that JSON does not define are ignored."""
    if len(content_type) <= MAX_REMEMBERED:
        return _is_json_remembered(content_type)
    return len(content_type) <= MAX_PREFERENCES and _is_json(content_type)


def _is_json(content_type: bytes) -> bool:
    found = _MEDIA_TYPE.fullmatch(content_type.decode("latin-1"))
    if found is None or found[1].lower() != "application/json":
        return False
    return all(
        name.lower() != "charset" or value.strip('"').lower() in {"utf-8", "utf8"}
        for name, value in _PARAMETERS.findall(found[2])
    )


_is_json_remembered = lru_cache(maxsize=256)(_is_json)


def accepts(accept: bytes, media_type: str) -> bool:
    """True if an Accept field takes the media type; an empty or an overlong one takes everything."""
    if len(accept) <= MAX_REMEMBERED:
        return _accepts_remembered(accept, media_type)
    return len(accept) > MAX_PREFERENCES or _accepts(accept, media_type)


def _accepts(accept: bytes, media_type: str) -> bool:
    welcome: dict[str, bool] = {}
    for media_range in elements(accept.decode("latin-1").lower()):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        welcome[name] = not any(map(_NO_WEIGHT.fullmatch, parameters))
    # The most specific range decides.
    ranges = (media_type, media_type.split("/", maxsplit=1)[0] + "/*", "*/*")
    return not welcome or next((welcome[name] for name in ranges if name in welcome), False)


_accepts_remembered = lru_cache(maxsize=256)(_accepts)


def is_identity(encoding: bytes) -> bool:
    """True if a Content-Encoding has `identity` only."""
    return all(element.lower() == "identity" for element in elements(encoding.decode("latin-1")))


def entity_tags(value: bytes) -> list[str] | None:
    """The entity tags of a list, weak ones with their `W/`; None for any other text and for an empty list."""
    text = value.decode("latin-1")
    tags: list[str] = []
    end = 0
    while found := _ENTITY_TAG.match(text, end):
        tags.append(found[1])
        end = found.end()
    return tags if tags and not text[end:].strip(" \t,") else None


def seconds_to_wait(prefer: bytes, most: int) -> int:
    """The first `wait` of a Prefer field, at most `most`; 0 for anything else (RFC 7240, 2)."""
    for preference in elements(prefer[:MAX_PREFERENCES].decode("latin-1")):
        found = _PREFERENCE.fullmatch(preference)
        if found is not None and found[1].lower() == "wait":
            digits = (found[2] or "").strip('"')
            if not _NUMBER_OF_SECONDS.fullmatch(digits):
                return 0
            # Python limits the length of a number that it reads.
            significant = digits.lstrip("0")
            return most if len(significant) > len(str(most)) else min(int(significant or "0"), most)
    return 0
