"""The options of an export that say how its file is to be written."""

from typing import Any, get_args

from django.conf import settings
from django.core.management import CommandError, CommandParser

from skg_site.cli.arguments import option_named
from skg_site.cli.exit_codes import MISUSED
from triples.exchange.arguments import prefix_argument
from triples.exchange.formats.base import Format, Writing
from triples.exchange.formats.csv import FORMAT as CSV
from triples.exchange.rdf.format import RdfFileFormat
from triples.exchange.rdf.options import WEIGHT
from triples.exchange.rdf.prefixes import FILE, PrefixError, is_iri, load_prefixes
from triples.exchange.rdf.writing import RdfWriting, Style
from triples.exchange.rendering import EXTRAS
from triples.query.export import Inferred


def add_write_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--safe-csv",
        action="store_true",
        help="CSV for a spreadsheet: a term that it would take for a formula, as it begins with = + - or @, gets "
        "an apostrophe before it. An import keeps that apostrophe, so facts do not come back as they were",
    )
    parser.add_argument(
        "--inferred",
        choices=get_args(Inferred),
        default="without",
        help="leave out what rules derived, add it, or write nothing else (default: without). An import takes all "
        "facts of a file for asserted ones",
    )
    parser.add_argument("--ids", action="store_true", help="tell the id of each fact")
    parser.add_argument("--times", action="store_true", help="tell when each fact was added and changed")
    add = parser.add_argument_group("RDF").add_argument
    add(
        "--prefix",
        type=prefix_argument,
        action="append",
        metavar="NAME=IRI",
        help=f"take NAME:… for an IRI of this namespace, as with those that {FILE} keeps",
    )
    add(
        "--weights",
        choices=[each for each in Style if each is not Style.PLAIN],
        help="how a fact has its weight and metadata: in annotations of RDF 1.2, by rdf:Statement, or in a graph of "
        "its own (default: the first of them that the format can)",
    )
    add("--plain", action="store_true", help="leave out weights and metadata")
    add("--weight-property", metavar="IRI", help="the property of weights (default: skg:weight)")


# The options that only RDF has a use for.
_OF_RDF = ("prefix", "weights", "plain", "weight_property")
# What `--plain` leaves out, so that these would do nothing.
_NOT_PLAIN = ("weights", "weight_property", "ids", "times")


def write_options(options: dict[str, Any], format_: Format) -> Writing:
    """The way in which facts are written. Raises CommandError for an option that the format has no use for."""
    _check(options, format_)
    try:
        prefixes = load_prefixes(settings.ENV.state_dir).with_(dict(options["prefix"] or ()))
    except PrefixError as error:
        raise CommandError(f"{error}.", returncode=MISUSED) from error
    style = Style.PLAIN if options["plain"] else options["weights"] and Style(options["weights"])
    name = options["weight_property"]
    weight = (prefixes.expand(name) or name.strip("<>")) if name else WEIGHT
    if not is_iri(weight):
        raise CommandError(f"--weight-property: {weight!r} is no IRI.", returncode=MISUSED)
    extras = EXTRAS[:1] * options["ids"] + EXTRAS[1:] * options["times"]
    return Writing(options["safe_csv"], extras, RdfWriting(style, prefixes, weight, extras))


def _check(options: dict[str, Any], format_: Format) -> None:
    """An option that would do nothing is refused: whoever gave it expects another file than they would get."""
    sentence = ""
    given = [name for name in _OF_RDF if options[name]]
    if options["safe_csv"] and format_ is not CSV:
        sentence = f"--safe-csv is for CSV, not for {format_.name}."
    elif given and not isinstance(format_, RdfFileFormat):
        sentence = f"{option_named(given[0])} is for RDF, not for {format_.name}."
    elif options["plain"] and (left := next((name for name in _NOT_PLAIN if options[name]), None)):
        sentence = f"{option_named(left)} would do nothing: --plain leaves it out."
    elif isinstance(format_, RdfFileFormat) and options["weights"] and options["weights"] not in format_.styles:
        styles = [style for style in format_.styles if style is not Style.PLAIN]
        sentence = f"--weights: {format_.title} cannot give a fact its weight by {options['weights']}; it can by "
        sentence += f"{', '.join(styles)}."
    if sentence:
        raise CommandError(sentence, returncode=MISUSED)
