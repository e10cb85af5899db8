"""The query strings of /import and /export: the options of the commands, under the same names."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from skg_site.api.cursors import CursorLayout
from skg_site.api.fields import INTEGER_TEXT, NUMBER_TEXT, Weight, matching
from skg_site.api.inputs import QueryString
from skg_site.cli.arguments import option_named
from triples.exchange.facts import Scale
from triples.exchange.formats.media_types import COMPRESSED, ENDINGS, MEDIA_TYPES
from triples.exchange.rdf.prefixes import parse_prefix
from triples.exchange.tables import parse_columns
from triples.http.asked_terms import AskedObject, AskedPredicate, AskedSubject

CURSOR = CursorLayout("q")
FormatName = Literal[*MEDIA_TYPES]  # type: ignore[valid-type]  # the names of a dictionary
CompressionName = Literal["none", "gzip", "xz", "zstd", "zip"]


def _checked(parse: Callable[[str], Any]) -> AfterValidator:
    """Refuse a text that `parse` cannot read; it is parsed for good where it is used."""

    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


def _prefixes(text: str) -> None:
    for part in text.split():
        parse_prefix(part)


# No control characters, which have no place in a command line.
Text = Annotated[
    str,
    Field(min_length=1, max_length=2_000),
    *matching(r"^[^\x00-\x1f\x7f]*$", "must not contain control characters, such as line ends"),
]
Prefixes = Annotated[
    Text,
    _checked(_prefixes),
    Field(description="`NAME=IRI`; several are separated by spaces.", examples=["ex=https://example.com/"]),
]

_ResumeToken = Annotated[
    str,
    *matching(
        r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        "is no token of an import: give the `resume` that the import has in GET /imports",
    ),
]
_OwnToken = Annotated[
    str,
    *matching(r"^[A-Za-z0-9._-]{8,64}$", "must be 8 to 64 characters: letters from A to z, digits, and . _ -"),
]


class ImportParameters(QueryString):
    format: Annotated[
        FormatName | None, Field(description="If neither Content-Type nor the ending of `name` tells it.")
    ] = None
    name: Annotated[
        Text | None, Field(max_length=255, description="What is sent, for the list of imports: the name of a file.")
    ] = None
    resume: Annotated[
        _ResumeToken | None,
        Field(
            description="The token of an import that broke off. The body is the same, from its beginning on; what is"
            " stored is passed over. All other parameters are those of the first request, and not given again."
        ),
    ] = None
    token: Annotated[
        _OwnToken | None,
        Field(
            description="Any text that you choose for this import alone. The same request again, with the same body,"
            " continues the import where it broke off, or answers what came of it."
        ),
    ] = None
    on_duplicate: Annotated[
        Literal["keep", "replace"],
        Field(description="A fact that is there: leave it as it is, or give it the new weight and metadata."),
    ] = "keep"
    strict: Annotated[bool, Field(description="Stop at the first line that is refused.")] = False
    weight: Annotated[Weight, NUMBER_TEXT, Field(description="The weight of facts that have none.")] = 1.0
    scale_weights: Annotated[
        Text | None,
        _checked(Scale.parse),
        Field(description="Bring weights of this range to 0 to 1.", examples=["0:10"]),
    ] = None
    header: Annotated[
        bool, Field(description="false: the first line of a table is a fact, whatever it looks like.")
    ] = True
    columns: Annotated[
        Text | None,
        _checked(parse_columns),
        Field(
            description="Which columns of a table hold what. Other columns go into the metadata.",
            examples=["subject=source,predicate=relation,object=target"],
        ),
    ] = None
    ignore: Annotated[Text | None, Field(description="Columns to leave out, separated by commas; `*` for all.")] = None
    delimiter: Annotated[
        Text | None, Field(max_length=3, description="What separates the columns of CSV: a character, or `tab`.")
    ] = None
    wide: Annotated[bool, Field(description="Each other column of a table is a predicate.")] = False
    entity: Annotated[Text | None, Field(description="With `wide`: the column of the subject.")] = None
    prefix: Prefixes | None = None
    weight_property: Annotated[
        Text | None, Field(description="RDF: the property of weights; several are separated by spaces.")
    ] = None
    metadata: Annotated[bool, Field(description="RDF: all else that is said of a fact is its metadata.")] = False
    graphs: Annotated[Literal["metadata", "refuse"], Field(description="RDF: facts in named graphs.")] = "metadata"
    base: Annotated[Text | None, Field(description="RDF: what relative IRIs are relative to.")] = None

    @property
    def given(self) -> dict[str, Any]:
        """The options that are not as by default."""
        return self.model_dump(exclude_defaults=True, exclude={"resume", "name", "token"})


def import_arguments(given: dict[str, Any]) -> list[str]:
    """The options of an import as those of `import_triples`."""
    found: list[str] = []
    for name, value in given.items():
        if name == "header":
            found.append("--no-header")
        else:
            found += _argument(name, value, {"prefix", "weight_property"})
    return found


class ExportParameters(QueryString):
    format: FormatName = "ndjson"
    compress: Annotated[
        CompressionName | None,
        Field(description="The file itself is compressed. Left out: gzip or zstd as Content-Encoding, if accepted."),
    ] = None
    subject: AskedSubject | None = None
    predicate: AskedPredicate | None = None
    object: AskedObject | None = None
    min_weight: Annotated[Weight, NUMBER_TEXT] = 0.0
    inferred: Annotated[Literal["without", "with", "only"], Field(description="Facts that rules derived.")] = "without"
    ids: Annotated[bool, Field(description="Tell the id of each fact.")] = False
    times: Annotated[bool, Field(description="Tell when each fact was added and changed.")] = False
    safe_csv: Annotated[bool, Field(description="CSV for a spreadsheet: no term is a formula.")] = False
    prefix: Prefixes | None = None
    weights: Annotated[
        Literal["annotations", "reification", "graphs"] | None, Field(description="RDF: how a fact has its weight.")
    ] = None
    plain: Annotated[bool, Field(description="RDF: leave out weights and metadata.")] = False
    weight_property: Annotated[Text | None, Field(description="RDF: the property of weights.")] = None

    def command(self, compress: str) -> list[str]:
        """The command line that writes the file, compressed in this way or `none`."""
        given = self.model_dump(exclude_defaults=True, exclude={"format", "compress"})
        options = [part for name, value in given.items() for part in _argument(name, value, {"prefix"})]
        return ["export_triples", "-", f"--format={self.format}", f"--compress={compress}", *options]

    def disposition(self, compress: str) -> str:
        """The Content-Disposition of the file, compressed in this way or `none`."""
        ending = "" if compress == "none" else COMPRESSED[compress].ending
        return f'attachment; filename="facts{ENDINGS[self.format]}{ending}"'


def _argument(name: str, value: Any, several: set[str]) -> Sequence[str]:
    option = option_named(name)
    if value is True:
        return [option]
    parts = str(value).split() if name in several else [value]
    return [f"{option}={part}" for part in parts]


class ImportListParameters(QueryString):
    limit: Annotated[int, Field(ge=1, le=100), INTEGER_TEXT] = 20
    cursor: Annotated[str, CURSOR.field] | None = None
