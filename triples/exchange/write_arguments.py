"""The options of an export that say how its file is to be written."""

from typing import Any, get_args

from django.conf import settings
from django.core.management import CommandError, CommandParser

from skg_site.cli.exit_codes import MISUSED
from triples.exchange.arguments import prefix_argument
from triples.exchange.formats.base import Writing
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


def write_options(options: dict[str, Any]) -> Writing:
    try:
        prefixes = load_prefixes(settings.ENV.state_dir).with_(dict(options["prefix"] or ()))
    except PrefixError as error:
        raise CommandError(f"{error}.", returncode=MISUSED) from error
    if options["plain"] and options["weights"]:
        raise CommandError("--plain leaves out what --weights would write.", returncode=MISUSED)
    style = Style.PLAIN if options["plain"] else options["weights"] and Style(options["weights"])
    name = options["weight_property"]
    weight = (prefixes.expand(name) or name.strip("<>")) if name else WEIGHT
    if not is_iri(weight):
        raise CommandError(f"--weight-property: {weight!r} is no IRI.", returncode=MISUSED)
    extras = EXTRAS[:1] * options["ids"] + EXTRAS[1:] * options["times"]
    return Writing(options["safe_csv"], extras, RdfWriting(style, prefixes, weight, extras))
