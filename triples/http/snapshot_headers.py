"""The header SKG-Snapshot in the OpenAPI document: see `triples.http.freshness`."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from triples.http.freshness import HEADER

_EXAMPLE = [OpenApiExample("A token", "16/B374D848")]

# Of a request that a replica may answer.
SEES_SNAPSHOT = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        f"The newest `{HEADER}` that an answer gave, if the database has replicas: this read then sees that write, and"
        " all that was committed before it. Without replicas it is not needed, and ignored."
    ),
    examples=_EXAMPLE,
)


def gives_snapshot(*statuses: int) -> OpenApiParameter:
    """Of the answers with these statuses, after which a client wants to read what was written."""
    return OpenApiParameter(
        HEADER,
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description="Only if the database has replicas: a token for later reads, which then see this write.",
        examples=_EXAMPLE,
        response=list(statuses),
    )
