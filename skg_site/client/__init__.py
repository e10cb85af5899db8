"""The Python client of the SKG API: `Client`, and `AsyncClient` with the same methods."""

from .async_client import AsyncClient
from .errors import (
    AddManyStopped,
    ClientError,
    Conflict,
    NoAnswer,
    NotFound,
    RateLimited,
    Refused,
    ServiceUnavailable,
    UnexpectedAnswer,
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
    "NoAnswer",
    "NotFound",
    "Progress",
    "RateLimited",
    "Refused",
    "RefusedFact",
    "ServiceUnavailable",
    "UnexpectedAnswer",
    "Wait",
]
