"""The errors that the client raises."""

from typing import TYPE_CHECKING

from .answers import FieldError, Problem

if TYPE_CHECKING:
    from .uploading import AddedMany


class ClientError(Exception):
    """Any error of this client. The message is a sentence.

    `may_pass` says that the same request may succeed later, and that nothing goes wrong if it is sent again.
    `retry_after` is how many seconds the service asks to wait, if it does.
    """

    may_pass = False
    retry_after: float | None = None

    def tell_attempts(self, attempts: int, seconds: float, patience: float) -> None:
        """Add to the message that the request was sent so often, and would be sent again with more patience."""
        sent = "once" if attempts == 1 else f"{attempts} times in {seconds:.1f} s"
        self.args = (f"{self} It was sent {sent}: the client's patience is {patience:g} s.",)


class NoAnswer(ClientError):
    """The service could not be reached, or the connection broke before the answer was there."""

    def __init__(self, message: str, *, may_pass: bool) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class UntrustedCertificate(NoAnswer):
    """The service's certificate cannot be verified."""


class UnexpectedAnswer(ClientError):
    """The answer is not one of an SKG API: another service is there, or a proxy answers in its place."""

    def __init__(self, message: str, status: int, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.may_pass = may_pass


class Refused(ClientError):
    """The service refuses the request; `problem` is its answer."""

    def __init__(self, problem: Problem, *, retry_after: float | None = None) -> None:
        faults = "; ".join(f"{_place(error)}: {error['msg']}" for error in problem.get("errors") or ())
        text = f"{problem['status']} {problem['title']}".rstrip() + f": {problem['detail']}"
        super().__init__(f"{text} ({faults})" if faults else text)
        self.problem = problem
        self.status = problem["status"]
        self.errors: list[FieldError] = problem.get("errors") or []
        self.request_id = problem.get("request_id")
        self.retry_after = retry_after


class NotFound(Refused):
    """404: there is nothing of that id or name."""


class Conflict(Refused):
    """409 or 412: it is there already, or has changed meanwhile."""


class RateLimited(Refused):
    """429: the key may not send more for now. The client has waited already, as long as its patience allows."""


class ServiceUnavailable(Refused):
    """503: the service is too busy, or its database cannot be reached."""


class Incomplete(ClientError):
    """The service's time limit was over before it found another answer. Those before are the heaviest there are.

    Every answer that is heavier than `complete_above` was among them.
    """

    def __init__(self, complete_above: float) -> None:
        super().__init__(
            f"The service had no time to find more: only answers heavier than {complete_above:g} are sure to be"
            " complete. Narrow the question by a constant or a higher min_weight."
        )
        self.complete_above = complete_above


class AddManyStopped(ClientError):
    """`add_many` could not go on; its cause is the error that stopped it.

    `added` tells what came of the facts before: the first `added.done` of them are dealt with. All of them may be sent
    again, since a fact that is there already is left as it is.
    """

    def __init__(self, added: "AddedMany", cause: ClientError) -> None:
        super().__init__(f"Stopped after {added.done:,} facts: {cause}")
        self.added = added


def _place(error: FieldError) -> str:
    return ".".join(str(part) for part in error["loc"])
