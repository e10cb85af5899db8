"""The work of both clients around a request, apart from sending it: arguments, errors, and the attempts of one call."""

import os
import ssl
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from time import monotonic
from typing import Any, Generic, TypeVar

import httpx2

from .calls import Call, Response, read
from .errors import ClientError, NoAnswer, UntrustedCertificate
from .snapshots import Snapshot
from .waits import OnWait, Pace, Wait, retries

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:7777"
KEY_VARIABLE = "API_KEY"

# These fail before the request has been sent.
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


def _version() -> str:
    try:
        return version("skg-client")
    except PackageNotFoundError:
        return "checkout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings by which a client reaches the service.

    `patience` is for how many seconds a call is tried again, and `timeout` how many an attempt may take. `on_wait` is
    told of every pause.
    """

    timeout: float = 60.0
    patience: float = 120.0
    connections: int = 10
    verify: ssl.SSLContext | bool = True
    on_wait: OnWait | None = None


def arguments(url: str, key: str | None, options: Options) -> dict[str, Any]:
    """The arguments of httpx2's clients. The key is that of the variable API_KEY, if there is none.

    Raises ClientError for a key that no request can carry: httpx2 would show it, and only when it is sent.
    """
    # One that was read from a file ends with a line end.
    key = (key or os.environ.get(KEY_VARIABLE) or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ClientError("The key has characters that no key has, such as a line end or a letter with an accent.")
    headers = {"User-Agent": f"skg-client/{_version()}", "Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return {
        "base_url": url,
        "headers": headers,
        "timeout": options.timeout,
        "verify": options.verify,
        "limits": httpx2.Limits(max_connections=options.connections, max_keepalive_connections=options.connections),
        # A redirect could send the key to another host.
        "follow_redirects": False,
    }


class Attempts(Generic[T]):
    """The attempts of one call."""

    def __init__(self, call: Call[T], pace: Pace, snapshot: Snapshot, options: Options) -> None:
        self._call = call
        self._pace = pace
        self._snapshot = snapshot
        self._patience = options.patience
        self._on_wait = call.on_wait or options.on_wait
        self._last_moment = monotonic() + options.patience
        self._maybe_done = False

    def retries(self) -> dict[str, Any]:
        """The arguments of tenacity's `Retrying` and `AsyncRetrying`."""
        return retries(self._patience, self._on_wait)

    def pause(self) -> float:
        """The seconds to wait first, until the key's limit lets the request in."""
        seconds = self._pace.seconds(self._call.endpoint)
        if seconds > self._last_moment - monotonic():
            # The service may have changed its mind; if it has not, its answer says why.
            return 0
        if seconds and self._on_wait is not None:
            self._on_wait(Wait(seconds, None))
        return seconds

    def request(self) -> dict[str, Any]:
        """The arguments of httpx2's `request`."""
        call = self._call
        headers = {**self._snapshot.headers, **call.headers}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return {
            "method": call.method,
            "url": call.path,
            "params": dict(call.parameters) or None,
            "content": call.body,
            "headers": headers,
        }

    def note(self, response: httpx2.Response) -> None:
        """Take note of the headers of an answer."""
        self._pace.note(self._call.endpoint, response.headers)
        self._snapshot.note(response.headers)

    def answer(self, response: httpx2.Response) -> T:
        """The content of the answer. Raises ClientError unless it is good."""
        self.note(response)
        came = Response(response.status_code, response.headers, response.content)
        sent_before, self._maybe_done = self._maybe_done, response.status_code >= 500 or self._maybe_done
        return read(self._call, came, sent_before=sent_before)

    def failure(self, error: httpx2.HTTPError) -> NoAnswer:
        """The error to raise where no answer has come."""
        not_sent = isinstance(error, _NOT_SENT)
        self._maybe_done = self._maybe_done or not not_sent
        reason = str(error).rstrip(".") or type(error).__name__
        sentence = f"No answer to {self._call.endpoint}: {reason}."
        if _is_about_certificate(error):
            return UntrustedCertificate(sentence, may_pass=False)
        # A URL without http:// is no better the next time.
        may_pass = not isinstance(error, httpx2.UnsupportedProtocol) and (not_sent or self._call.repeatable)
        return NoAnswer(sentence, may_pass=may_pass)


class Attempting:
    """The part of both clients that makes attempts."""

    def __init__(self, options: Options | None) -> None:
        self._options = options or Options()
        self._pace = Pace()
        self._snapshot = Snapshot()

    def seconds_to_wait(self, call: Call[Any]) -> float:
        """The seconds until the key's limit admits such a request again, as far as is known; 0 if it does now."""
        return self._pace.seconds(call.endpoint)

    def _attempts(self, call: Call[T]) -> Attempts[T]:
        return Attempts(call, self._pace, self._snapshot, self._options)


def _is_about_certificate(error: BaseException | None) -> bool:
    """True if the certificate is what an error began with."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None
