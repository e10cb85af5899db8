"""The check of certificates: how many days they are good for."""

import re
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

from skg_site.host.certificates import expiry
from skg_site.ops.checkup.findings import Finding, Limits, bad_if_small, failed

DAY = 86_400

_ADDRESS = re.compile(r"\[?([^/\[\]]+)\]?:(\d{1,5})")


def check_certificate(place: str, limits: Limits, timeout: float, context: ssl.SSLContext) -> Finding:
    """Check a PEM file, or the server at host:port, whose certificate must also be trusted. The limits are in days."""
    address = _ADDRESS.fullmatch(place)
    if address is None or Path(place).exists():
        return _check_file(Path(place), limits)
    host, port = address[1], int(address[2])
    try:
        with (
            socket.create_connection((host, port), timeout) as plain,
            context.wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            certificate = encrypted.getpeercert(binary_form=True) or b""
    except ssl.SSLCertVerificationError as error:
        return failed(f"{place}: {error.verify_message}.")
    except (OSError, OverflowError) as error:
        return failed(f"{place} does not answer: {error}.")
    return _finding(place, expiry(ssl.DER_cert_to_PEM_cert(certificate).encode()), limits)


def _check_file(file: Path, limits: Limits) -> Finding:
    try:
        moment = expiry(file.read_bytes())
    except FileNotFoundError:
        return failed(f"There is no file {file}.")
    except ValueError:
        return failed(f"{file} holds no certificate that can be read.")
    return _finding(str(file), moment, limits)


def _finding(place: str, moment: datetime, limits: Limits) -> Finding:
    days = (moment - datetime.now(UTC)).total_seconds() / DAY
    if days < 0:
        return failed(f"{place} has expired on {moment:%Y-%m-%d}.")
    return bad_if_small(days, limits, f"{place} is good for {days:,.0f} days, until {moment:%Y-%m-%d}.")
