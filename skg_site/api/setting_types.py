"""Types of settings: what an operator writes in a variable, checked and parsed."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ValidationError
from pydantic_settings import NoDecode

from skg_site.api.addresses import parse_network
from skg_site.api.rates import Rate


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _networks(parts: list[str]) -> list[str]:
    for part in parts:
        parse_network(part)
    return parts


def _origins(parts: list[str]) -> list[str]:
    for part in parts:
        if part != "*" and not re.fullmatch(r"https?://[^/\s]+", part):
            raise ValueError(f"{part!r} is not an origin such as https://example.com")
    return parts


def _database_urls(parts: list[str]) -> list[str]:
    for part in parts:
        # The URL may hold a password, which is not shown.
        if not re.fullmatch(r"postgres(ql)?://.+", part):
            raise ValueError("must be postgresql:// URLs, separated by commas; a comma inside of one is written %2C")
    if len(set(parts)) < len(parts):
        raise ValueError("names a replica twice")
    return parts


CommaList = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Networks = Annotated[CommaList, AfterValidator(_networks)]
Origins = Annotated[CommaList, AfterValidator(_origins)]
DatabaseUrls = Annotated[CommaList, AfterValidator(_database_urls)]
LimitRate = Annotated[Rate, BeforeValidator(lambda value: Rate.parse(value) if isinstance(value, str) else value)]


def first_fault(error: ValidationError, settings: type[BaseModel]) -> str:
    """The name of the first wrong setting and what is wrong with it, in words that need no regular expression."""
    first = error.errors()[0]
    name = str(first["loc"][0])
    if first["type"] == "string_pattern_mismatch":
        return f"{name.upper()} is not as it should be: {settings.model_fields[name].description}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{name.upper()} {message[0].lower()}{message[1:]}"
