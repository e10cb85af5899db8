"""Certificates: how many days they are good for."""

import re
import shutil
import socket
import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from skg_site.ops.checkup.findings import Finding, Limits, bad_if_small, failed

DAY = 86_400

_ADDRESS = re.compile(r"\[?([^/\[\]]+)\]?:(\d{1,5})")


def check_certificate(place: str, limits: Limits, timeout: float, context: ssl.SSLContext) -> Finding:
    """`place` is a PEM file, or host:port of a server, whose certificate must also be trusted. Limits are in days."""
    address = _ADDRESS.fullmatch(place)
    if address is None or Path(place).exists():
        return _check_file(Path(place), limits, timeout)
    host, port = address[1], int(address[2])
    try:
        with (
            socket.create_connection((host, port), timeout) as plain,
            context.wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            certificate = encrypted.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return failed(f"{place}: {error.verify_message}.")
    except (OSError, OverflowError) as error:
        return failed(f"{place} does not answer: {error}.")
    return _finding(place, str(certificate["notAfter"]), limits)


def _check_file(file: Path, limits: Limits, timeout: float) -> Finding:
    if not file.exists():
        return failed(f"There is no file {file}.")
    # Python's own module reads the end of a certificate only from a connection.
    openssl = shutil.which("openssl")
    if openssl is None:
        return failed(f"{file}: the program openssl is needed to read it, and is not installed.")
    command = [openssl, "x509", "-noout", "-enddate", "-in", str(file)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)  # noqa: S603  # a file's name
    end = re.search(r"^notAfter=(.+)$", told.stdout, re.MULTILINE)
    if end is None:
        return failed(f"{file} holds no certificate that can be read.")
    return _finding(str(file), end[1], limits)


def _finding(place: str, end: str, limits: Limits) -> Finding:
    """`end` as OpenSSL writes it."""
    moment = datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC)
    days = (moment - datetime.now(UTC)).total_seconds() / DAY
    if days < 0:
        return failed(f"{place} has expired on {moment:%Y-%m-%d}.")
    return bad_if_small(days, limits, f"{place} is good for {days:,.0f} days, until {moment:%Y-%m-%d}.")
