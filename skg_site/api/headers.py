"""Header fields as RFC 9110 has them: lists, parameters, and what an API needs to know of them. Knows no request."""

import re
from collections.abc import Iterator
from functools import lru_cache

# Longer ones are read each time: a cache must not grow by what clients send.
MAX_REMEMBERED = 256
# Of a list longer than this it is not worth reading what the client prefers; nor is a longer type JSON.
MAX_PREFERENCES = 4096

_OWS = r"[ \t]*+"
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_PARAMETER = rf"{_OWS};{_OWS}(?:({_WORD})=({_WORD}|{_QUOTED}))?"
_MEDIA_TYPE = re.compile(rf"{_OWS}({_WORD}/{_WORD})((?:{_PARAMETER})*+){_OWS}", re.ASCII)
_PARAMETERS = re.compile(_PARAMETER, re.ASCII)
# A quotation that does not end goes on to the end: to look for another way to read it would take a square of time.
_ELEMENT = re.compile(r'(?:"(?:[^"\\]|\\.?)*+(?:"|$)|[^",])++', re.DOTALL)
_NO_WEIGHT = re.compile(r"q\s*=\s*0(\.0{0,3})?", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'[ \t,]*+((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*+(?=,|$)')
_PREFERENCE = re.compile(rf"({_WORD})(?:{_OWS}={_OWS}({_WORD}|{_QUOTED}))?{_OWS}(?:;.*)?", re.ASCII | re.DOTALL)
_NUMBER_OF_SECONDS = re.compile(r"[0-9]+", re.ASCII)


def elements(value: str) -> Iterator[str]:
    """The elements of a field that is a list, without those that are empty; commas in quotes divide nothing."""
    return (element for found in _ELEMENT.finditer(value) if (element := found[0].strip(" \t")))


def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type is JSON in UTF-8; parameters that JSON does not have are ignored."""
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
    """Whether an Accept field takes the media type. One that says nothing, or too much, takes everything."""
    if len(accept) <= MAX_REMEMBERED:
        return _accepts_remembered(accept, media_type)
    return len(accept) > MAX_PREFERENCES or _accepts(accept, media_type)


def _accepts(accept: bytes, media_type: str) -> bool:
    welcome: dict[str, bool] = {}
    for media_range in elements(accept.decode("latin-1").lower()):
        name, *parameters = (part.strip() for part in media_range.split(";"))
        welcome[name] = not any(map(_NO_WEIGHT.fullmatch, parameters))
    # The range that says most about the type decides.
    ranges = (media_type, media_type.split("/", maxsplit=1)[0] + "/*", "*/*")
    return not welcome or next((welcome[name] for name in ranges if name in welcome), False)


_accepts_remembered = lru_cache(maxsize=256)(_accepts)


def is_identity(encoding: bytes) -> bool:
    """Whether a Content-Encoding says that the content is as it is."""
    return all(element.lower() == "identity" for element in elements(encoding.decode("latin-1")))


def entity_tags(value: bytes) -> list[str] | None:
    """The entity tags of a list, weak ones with their `W/`; None when it is not one, or has no element."""
    text = value.decode("latin-1")
    tags: list[str] = []
    end = 0
    while found := _ENTITY_TAG.match(text, end):
        tags.append(found[1])
        end = found.end()
    return tags if tags and not text[end:].strip(" \t,") else None


def seconds_to_wait(prefer: bytes, most: int) -> int:
    """What a Prefer field says of `wait`, the first time it does; 0 for what makes no sense (RFC 7240, 2)."""
    for preference in elements(prefer[:MAX_PREFERENCES].decode("latin-1")):
        found = _PREFERENCE.fullmatch(preference)
        if found is not None and found[1].lower() == "wait":
            digits = (found[2] or "").strip('"')
            if not _NUMBER_OF_SECONDS.fullmatch(digits):
                return 0
            # Python does not read numbers of any length.
            significant = digits.lstrip("0")
            return most if len(significant) > len(str(most)) else min(int(significant or "0"), most)
    return 0
