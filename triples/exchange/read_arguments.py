"""The options of an import that say how its files are to be read."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser

from skg_site.cli.arguments import option_named
from skg_site.cli.exit_codes import MISUSED
from triples.exchange.arguments import columns_argument, delimiter_argument, names_argument, prefix_argument
from triples.exchange.formats.base import Format, ReadOptions
from triples.exchange.formats.csv import FORMAT as CSV
from triples.exchange.formats.tsv import FORMAT as TSV
from triples.exchange.rdf.format import LineRdfFormat, RdfFileFormat
from triples.exchange.rdf.options import WEIGHT, PrefixStore, RdfOptions
from triples.exchange.rdf.prefixes import FILE, PrefixError, Prefixes, is_iri
from triples.exchange.tables import ALL_OTHERS, TableOptions
from triples.store.term_lookup import terms_beginning_with


def add_read_arguments(parser: CommandParser) -> None:
    _add_table_arguments(parser)
    _add_rdf_arguments(parser)


def _add_rdf_arguments(parser: CommandParser) -> None:
    add = parser.add_argument_group("RDF").add_argument
    add(
        "--prefix",
        type=prefix_argument,
        action="append",
        metavar="NAME=IRI",
        help=f"write IRIs of this namespace as NAME:…, as with those of the file; {FILE} keeps all of them",
    )
    add(
        "--weight-property",
        action="append",
        metavar="IRI",
        help="the property by which a fact is given its weight, in an annotation, an rdf:Statement, or of the name of "
        "its graph; the greatest of several holds (default: skg:weight)",
    )
    add("--metadata", action="store_true", help="take all else that is said of a fact for its metadata")
    add(
        "--graphs",
        choices=("metadata", "refuse"),
        default="metadata",
        help="the name of the graph that a fact is in: a part of its metadata, or a reason to refuse it",
    )
    add("--base", metavar="IRI", help="what relative IRIs are relative to")


def _add_table_arguments(parser: CommandParser) -> None:
    add = parser.add_argument_group("tables (CSV, TSV, Parquet, Arrow)").add_argument
    add(
        "--no-header",
        dest="header",
        action="store_false",
        help="take the first line for a fact even where it looks like the names of columns",
    )
    add(
        "--columns",
        type=columns_argument,
        action="append",
        metavar="FIELD=COLUMN,…",
        help="which columns hold subject, predicate, object, weight and metadata, such as "
        "subject=source,object=target; with --no-header by number, from 1 on. Other columns go into the metadata",
    )
    add(
        "--ignore",
        type=names_argument,
        action="append",
        metavar="COLUMN,…",
        help=f"columns to leave out; {ALL_OTHERS} leaves out all that hold no field of a fact",
    )
    add(
        "--delimiter", type=delimiter_argument, metavar="CHAR", help="what separates the columns of CSV, if not guessed"
    )
    add(
        "--wide",
        action="store_true",
        help="each row tells of one entity: other columns are predicates, their cells objects; empty ones are no facts",
    )
    add("--entity", metavar="COLUMN", help="with --wide, the column of the entity (default: the first)")


def read_options(options: dict[str, Any], formats: Sequence[Format], prefixes: PrefixStore) -> ReadOptions:
    columns: dict[str, str] = {}
    for part in options["columns"] or ():
        columns |= part
    ignored = tuple(name for part in options["ignore"] or () for name in part)
    table = TableOptions(columns, options["delimiter"], ignored, options["wide"], options["entity"])
    _check(table, formats)
    _check_rdf(options, formats)
    return ReadOptions(options["header"], table, _rdf_options(options, prefixes.prefixes))


def prefix_store(options: dict[str, Any], say: Callable[[str], None]) -> PrefixStore:
    """The prefixes of the graph, with those of the command line."""
    try:
        return PrefixStore(
            dict(options["prefix"] or ()), settings.ENV.state_dir, _is_used, say, keeps=not options["dry_run"]
        )
    except PrefixError as error:
        raise CommandError(f"{error}.", returncode=MISUSED) from error


def _is_used(namespace: str) -> bool:
    """True if the graph has an IRI of a namespace in full."""
    return terms_beginning_with(namespace).exists()


def _rdf_options(options: dict[str, Any], prefixes: Prefixes) -> RdfOptions:
    properties = tuple(prefixes.expand(name) or name.strip("<>") for name in options["weight_property"] or [WEIGHT])
    if wrong := next((name for name in properties if not is_iri(name)), None):
        raise CommandError(f"--weight-property: {wrong!r} is no IRI.", returncode=MISUSED)
    return RdfOptions(properties, options["metadata"], options["graphs"] == "refuse", options["base"])


def _check(table: TableOptions, formats: Sequence[Format]) -> None:
    sentence = ""
    if table.entity and not table.wide:
        sentence = "--entity goes with --wide."
    elif table.wide and {"predicate", "object"} & table.columns.keys():
        sentence = "The header of a wide table has its predicates, its cells the objects: --columns can name neither."
    elif table.delimiter and not all(each is CSV for each in formats):
        sentence = "--delimiter is for CSV; add --format csv if that is what the files are."
    elif (table.says_columns or table.ignored) and not all(each.is_table for each in formats):
        sentence = "--columns, --ignore and --wide are for tables: CSV, TSV, Parquet and Arrow."
    if sentence:
        raise CommandError(sentence, returncode=MISUSED)


def _check_rdf(options: dict[str, Any], formats: Sequence[Format]) -> None:
    """Refuse what would do nothing in any of the files."""
    given = [name for name in ("prefix", "weight_property", "metadata", "base") if options[name]]
    if options["graphs"] != "metadata":
        given.append("graphs")
    sentence = ""
    if given and not any(isinstance(each, RdfFileFormat) for each in formats):
        sentence = f"{option_named(given[0])} is for RDF, not for {formats[0].name}."
    elif options["base"] and all(isinstance(each, LineRdfFormat) for each in formats):
        sentence = f"--base is for formats with relative IRIs, which {formats[0].title} does not have."
    elif not options["header"] and not any(each in {CSV, TSV} for each in formats):
        sentence = f"--no-header is for CSV and TSV, not for {formats[0].name}."
    if sentence:
        raise CommandError(sentence, returncode=MISUSED)
