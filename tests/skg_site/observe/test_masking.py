"""Keys in texts, and in the lines of the log."""

import logging as standard_logging
from collections.abc import Callable, Iterator

import orjson
import pytest
import structlog

from apikeys.keys import make_key
from skg_site.observe import logging
from skg_site.observe.masking import guard_request, masked, masked_text, masked_value, shown_key

# Not made anew, so that every process of a run calls the tests by the same names.
KEY = "skg_prod_FzBH31Qotr1RIaKxUipRe0nSJxv8iqOsGM1J21Im"
OWN = "any text, as the guide has it"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (KEY, f"{KEY[:17]}***"),
        (f"/static/{KEY}.css", f"/static/{KEY[:17]}***.css"),
        (f"{KEY} {KEY}", f"{KEY[:17]}*** {KEY[:17]}***"),
        (KEY[:-1], f"{KEY[:17]}***"),
        (KEY[:18], f"{KEY[:17]}***"),
        (f"x{KEY}xyz", f"x{KEY[:17]}***"),
        (KEY.lower(), f"{KEY[:17].lower()}***"),
        (f"bl\u00f6d {KEY}", f"bl\u00f6d {KEY[:17]}***"),
        # Names of metrics and the public part of a key are none.
        ("skg_requests_total skg_auth_failures_total", "skg_requests_total skg_auth_failures_total"),
        (KEY[:17], KEY[:17]),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_looks_like_a_key_is_masked(text: str, shown: str) -> None:
    assert masked_text(text) == shown


def test_every_environments_keys_are_masked() -> None:
    for environment in ("a", "prod", "x123456789"):
        key = make_key(environment).clear_text
        assert key.encode() not in masked(key.encode())


def test_what_the_caller_shows_as_a_key_is_masked_beside_it() -> None:
    headers = [(b"host", b"x"), (b"authorization", f"Bearer {OWN}".encode())]
    assert shown_key(headers) == OWN.encode()
    assert masked_value(f"a{OWN}b".encode(), headers) == b"a***b"
    assert masked_value(KEY.encode(), headers) == f"{KEY[:17]}***".encode()
    # A short word could be chosen so that other words of the log disappear.
    assert shown_key([(b"authorization", b"Bearer request")]) is None


@pytest.fixture
def service_log() -> Iterator[Callable[[str], None]]:
    """A function that has lines written as the service writes them, in one of its formats."""
    root = standard_logging.getLogger()
    before, handlers, level = structlog.get_config(), root.handlers[:], root.level
    yield lambda format_: logging.configure({"level": "INFO", "format": format_})
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("format_", ["json", "console"])
def test_no_line_of_either_log_holds_a_key(
    service_log: Callable[[str], None], capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    service_log(format_)
    log, foreign = structlog.get_logger("test"), standard_logging.getLogger("django.request")
    guard_request([(b"authorization", f"Bearer {OWN}".encode())])
    log.info("request", path=f"/{KEY}", nested=[{"key": KEY}])
    foreign.warning("Not Found: %s", f"/static/{KEY}/{OWN}")
    try:
        int(f"{KEY} and {OWN}")
    except ValueError as error:
        log.exception("uncaught", exc_info=error)
        foreign.exception("uncaught", exc_info=error)
    guard_request([])
    text = capsys.readouterr().err
    assert (text.count(KEY[:17]), KEY[17:] in text, OWN in text) == (5, False, False), text
    if format_ == "json":
        events = [orjson.loads(line)["event"] for line in text.splitlines()]
        assert events == ["request", f"Not Found: /static/{KEY[:17]}***/***", "uncaught", "uncaught"]
