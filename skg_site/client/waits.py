"""Waiting: when a request is sent again, and when the next one may be sent."""

import random
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, NamedTuple

from tenacity import RetryCallState, retry_if_exception, stop_before_delay, wait_random_exponential

from .errors import ClientError
from .rate_limits import until_next_token

# Without a word from the service: at most so long before the first retry, twice as long before the second.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
# What is added to the time that the service names, so that not all clients come back at the same moment.
JITTER = 0.25


class Wait(NamedTuple):
    """A pause before a request; the error is None where the key's limit is used up and nothing has failed."""

    seconds: float
    error: ClientError | None


OnWait = Callable[[Wait], None]

_exponential = wait_random_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE)


def _pause(state: RetryCallState) -> float:
    error = _error(state)
    if error is None or error.retry_after is None:
        return _exponential(state)
    return error.retry_after + random.uniform(0, JITTER)  # noqa: S311  # no secret


def _error(state: RetryCallState) -> ClientError | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if isinstance(error, ClientError) else None


def retries(patience: float, on_wait: OnWait | None) -> dict[str, Any]:
    """Arguments for tenacity's `Retrying` and `AsyncRetrying`.

    No attempt begins later than `patience` seconds after the first. A longer wait is not begun at all.
    """

    def tell(state: RetryCallState) -> None:
        if on_wait is not None:
            on_wait(Wait(state.upcoming_sleep, _error(state)))

    def give_up(state: RetryCallState) -> Any:
        if (error := _error(state)) is not None:
            error.tell_attempts(state.attempt_number, state.seconds_since_start or 0, patience)
        assert state.outcome is not None, "an attempt has ended"
        return state.outcome.result()

    return {
        "retry": retry_if_exception(lambda error: isinstance(error, ClientError) and error.may_pass),
        "wait": _pause,
        "stop": stop_before_delay(patience),
        "before_sleep": tell,
        "retry_error_callback": give_up,
    }


class Pace:
    """Keeps requests within the key's limits, which the service tells with each answer, for each endpoint apart."""

    def __init__(self) -> None:
        self._earliest: dict[str, float] = {}

    def seconds(self, endpoint: str) -> float:
        """The seconds to wait before the next request; 0 if it may be sent now."""
        return max(self._earliest.get(endpoint, 0.0) - monotonic(), 0.0)

    def note(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Take note of an answer's headers."""
        pause = until_next_token(headers)
        if pause:
            self._earliest[endpoint] = monotonic() + pause
        else:
            self._earliest.pop(endpoint, None)
