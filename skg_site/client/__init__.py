"""The Python client of the SKG API: `Client`, and `AsyncClient` with the same methods."""

from .async_client import AsyncClient
from .attempts import Options
from .errors import (
    AddManyStopped,
    ClientError,
    Conflict,
    Incomplete,
    NoAnswer,
    NotFound,
    RateLimited,
    Refused,
    ServiceUnavailable,
    UnexpectedAnswer,
    UntrustedCertificate,
)
from .sync_client import Client
from .uploading import AddedMany, Progress, RefusedFact
from .waits import Wait

__all__ = [
    "AddManyStopped",
    "AddedMany",
    "AsyncClient",
    "Client",
    "ClientError",
    "Conflict",
    "Incomplete",
    "NoAnswer",
    "NotFound",
    "Options",
    "Progress",
    "RateLimited",
    "Refused",
    "RefusedFact",
    "ServiceUnavailable",
    "UnexpectedAnswer",
    "UntrustedCertificate",
    "Wait",
]
