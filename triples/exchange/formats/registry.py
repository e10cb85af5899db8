"""The formats of files, and how a file's name or first bytes show its format."""

from importlib import import_module
from pathlib import PurePath
from pkgutil import iter_modules

from triples.exchange import formats
from triples.exchange.compressions import NONE, compression_of
from triples.exchange.formats.base import Format


def _found() -> dict[str, Format]:
    modules = (import_module(f"{formats.__name__}.{module.name}") for module in iter_modules(formats.__path__))
    found = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


# By their names, as options have them.
FORMATS = _found()
ENDINGS = {ending: each for each in FORMATS.values() for ending in each.endings}


def format_of(name: str) -> Format | None:
    """The format of a file by its name, such as `facts.tsv.gz`."""
    path = PurePath(name.lower())
    if compression_of(path.name) is not NONE:
        path = path.with_suffix("")
    return ENDINGS.get(path.suffix)


def has_kinds(found: Format) -> bool:
    """True if files with the endings of this format may be of another."""
    return any(each.kind_of == found.name for each in FORMATS.values())


def kind_of(found: Format, beginning: bytes) -> Format:
    """The format of a file with the endings of several, by its first bytes."""
    return next((each for each in FORMATS.values() if each.kind_of == found.name and each.begins(beginning)), found)


def format_at(beginning: bytes) -> Format | None:
    """The format that a file's first bytes show, if they can be of one only."""
    found = [each for each in FORMATS.values() if each.begins(beginning)]
    return found[0] if len(found) == 1 else None
