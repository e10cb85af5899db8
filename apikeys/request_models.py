"""Requests about keys: strict Pydantic models without unknown members."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from apikeys.cleaning import MAX_NAME_LENGTH, UNSHOWN, clean_name, clean_networks, clean_rate, composed
from apikeys.services import DEFAULT_GRACE, MAX_GRACE
from skg_site.api.cursors import CursorLayout
from skg_site.api.fields import INTEGER_TEXT, WHOLE, matching
from skg_site.api.inputs import Input, QueryString

TEN_YEARS = 10 * 365 * 86_400

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_NETWORK = (
    rf"^(({_OCTET}\.){{3}}{_OCTET}(/(3[0-2]|[12]?[0-9]))?"
    r"|([0-9A-Fa-f]{1,4}:){1,6}:(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$"
)


def _one_network(text: str) -> str:
    network = clean_networks(text)
    if not network or "," in network:
        raise ValueError("must be one address or network, such as 10.0.0.0/8")
    return network


Network = Annotated[
    str,
    # Longer than the text of any network.
    Field(max_length=100),
    AfterValidator(_one_network),
    # For readers of the schema: the common ways to write a network. The validator takes all of them.
    Field(json_schema_extra={"pattern": _NETWORK}, examples=["10.0.0.0/8"]),
]


class IssueKey(Input):
    name: Annotated[
        str,
        Field(max_length=MAX_NAME_LENGTH, description="Who or what uses the key."),
        *matching(
            rf"^[^{UNSHOWN}]*[^\s{UNSHOWN}][^{UNSHOWN}]*$",
            "must have a character that can be seen, and no control characters or other invisible ones",
        ),
        AfterValidator(clean_name),
        # Last, so that it runs before `Field`: the stored form is counted.
        BeforeValidator(composed),
    ]
    scopes: Annotated[list[Literal["read", "write", "recurse", "admin"]], Field(min_length=1, max_length=100)]
    expires_in_seconds: (
        Annotated[int, Field(ge=1, le=TEN_YEARS, description="null: when the key that asks does, if ever."), WHOLE]
        | None
    ) = None
    rate: (
        Annotated[
            str,
            Field(
                description="Requests for each endpoint: 100 (a minute), 100/s, 100/h, 0 (no limit). "
                "null: as the service is set.",
                examples=["100/s"],
            ),
            *matching(r"^[0-9]{1,9}(/[smh])?$", "must be such as 100 (a minute), 100/s, 100/h or 0 (no limit)"),
            AfterValidator(clean_rate),
        ]
        | None
    ) = None
    allowed_networks: Annotated[
        list[Network], Field(max_length=100, description="Empty: those of the key that asks, or any.")
    ] = []


class RotateKey(Input):
    grace_seconds: Annotated[
        int,
        Field(ge=0, le=int(MAX_GRACE.total_seconds()), description="How long the old key goes on working."),
        WHOLE,
    ] = int(DEFAULT_GRACE.total_seconds())


class RevokeKey(Input):
    """The body may be left out."""

    lineage: Annotated[
        bool,
        Field(
            description="Also end every other key of its row of rotations that still works: its successors, to which "
            "whoever has the key may have rotated it, and those before it."
        ),
    ] = False


# The row id of the last key on the page.
CURSOR = CursorLayout("q")


class KeyListParameters(QueryString):
    """The query string of the list of keys."""

    limit: Annotated[int, Field(ge=1, le=1000), INTEGER_TEXT] = 100
    cursor: Annotated[str, CURSOR.field] | None = None
