"""Types of arguments that the commands for files of facts share."""

from django.core.management import CommandError

from skg_site.cli.arguments import argument
from skg_site.cli.exit_codes import MISUSED
from triples.exchange.facts import UNSCALED, Scale
from triples.exchange.formats.base import Format
from triples.exchange.formats.registry import ENDINGS, FORMATS, format_of
from triples.exchange.rdf.prefixes import parse_prefix
from triples.exchange.tables import parse_columns


@argument
def weight_argument(text: str) -> float:
    try:
        return UNSCALED.apply(float(text))
    except ValueError:
        raise ValueError("must be a number from 0 to 1") from None


@argument
def scale_argument(text: str) -> Scale:
    try:
        return Scale.parse(text)
    except ValueError:
        raise ValueError("must be two different numbers, such as 0:10") from None


def format_named(name: str, chosen: str | None) -> Format:
    """The chosen format or, without a choice, that of the file's name. Raises CommandError if the name tells none."""
    found = FORMATS[chosen] if chosen else format_of(name)
    if found is None:
        raise CommandError(f"{name}: the name does not end in {', '.join(ENDINGS)}; give --format.", returncode=MISUSED)
    return found


columns_argument = argument(parse_columns)


@argument
def delimiter_argument(text: str) -> str:
    found = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(found) != 1 or found in '"\r\n':
        raise ValueError("must be one character, or tab")
    return found


@argument
def names_argument(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


prefix_argument = argument(parse_prefix)
