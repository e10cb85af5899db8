"""The service's parts in the order in which they are put together, from nothing to all of it."""

from enum import StrEnum

# The environment variable that says which of them `floor_app` is to be.
VARIABLE = "BENCH_FLOOR_STEP"


class Step(StrEnum):
    """Each has all that those before it have."""

    UVICORN = "uvicorn and a callable"
    WORKER = "the service's worker"
    DOOR = "the API door and an empty view"
    AUTHENTICATION = "authentication and scopes"
    LIMITS = "limits"
    METRICS = "request id and metrics"
    LOG = "log line"
    READING = "reading the body"
    STORE = "the store and its answer"


STEPS = list(Step)


def has(step: Step, part: Step) -> bool:
    return STEPS.index(step) >= STEPS.index(part)
