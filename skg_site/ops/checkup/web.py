"""Checks of the service over HTTP, as its clients reach it."""

import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from skg_site.cli.durations import duration_text
from skg_site.ops.checkup.findings import Finding, Limits, bad_if_large, failed, ok

# The metric that the guide's own check looks for.
METRIC = b"skg_requests_total"


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime


class NoAnswer(Exception):
    """The message is a sentence."""


class Site:
    """A server to ask over HTTP; `context` decides which certificates are trusted."""

    def __init__(self, url: str, timeout: float, context: ssl.SSLContext) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout
        self._context = context

    def get(self, path: str) -> Answer:
        parts = urlsplit(self.url + path)
        host = parts.hostname or ""
        connection = (
            HTTPSConnection(host, parts.port, timeout=self._timeout, context=self._context)
            if parts.scheme == "https"
            else HTTPConnection(host, parts.port, timeout=self._timeout)
        )
        try:
            connection.request("GET", parts.path or "/", headers={"User-Agent": "system_check"})
            response = connection.getresponse()
            at = datetime.now(UTC)
            return Answer(response.status, dict(response.getheaders()), response.read(), at)
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{self.url} does not answer: {str(error) or type(error).__name__}.") from None
        finally:
            connection.close()


def check_api(site: Site) -> Finding:
    for path in ("/health", "/ready"):
        answer = _asked(site, path)
        if isinstance(answer, Finding):
            return answer
        if answer.status != 200:
            return failed(f"{site.url}{path} answers {answer.status}{_reason(answer)}.")
    return ok(f"{site.url} is alive and ready.")


def check_metrics(site: Site) -> Finding:
    answer = _asked(site, "/metrics")
    if isinstance(answer, Finding):
        return answer
    if answer.status != 200:
        return failed(f"{site.url}/metrics answers {answer.status}.")
    if METRIC not in answer.body:
        return failed(f"{site.url}/metrics does not have {METRIC.decode()}: is it this service?")
    return ok(f"{site.url}/metrics can be read.")


def check_clock_by_site(site: Site, limits: Limits) -> Finding:
    """Compare the clock with the Date header of an answer, which is exact to the second."""
    answer = _asked(site, "/")
    if isinstance(answer, Finding):
        return answer
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date") or answer.headers.get("date") or "")
    except ValueError:
        return failed(f"{site.url} does not say what time it is.")
    # On average, half a second has passed since the second in the header began.
    seconds = max(0.0, abs((answer.at - theirs).total_seconds() - 0.5) - 0.5)
    return clock_finding(seconds, limits, site.url)


def clock_finding(seconds: float, limits: Limits, other: str) -> Finding:
    return bad_if_large(seconds, limits, f"{duration_text(seconds)} apart from the clock of {other}.")


def _asked(site: Site, path: str) -> Answer | Finding:
    try:
        return site.get(path)
    except NoAnswer as error:
        return failed(str(error))


def _reason(answer: Answer) -> str:
    """The parts of the answer of /ready that are false."""
    try:
        content = json.loads(answer.body)
    except ValueError:
        return ""
    wrong = [name for name, value in content.items() if value is False and name != "ready"] if content else []
    return f": not {', not '.join(wrong)}" if wrong else ""
