"""The image's health check: exits with 0 if the service on this host is ready.

It imports nothing of the service, so that a check costs no more than the start of Python.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

# Longer than /ready waits for its database, shorter than the image's HEALTHCHECK waits for this script.
PATIENCE = 5.5


def main() -> int:
    host = os.environ.get("SKG_HOST") or "127.0.0.1"
    # If the service listens on every address, loopback reaches it.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared with, not listened on
    connection = HTTPConnection(host, int(os.environ.get("SKG_PORT") or 7777), timeout=PATIENCE)
    try:
        connection.request("GET", "/ready")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        sys.stderr.write(f"{host} does not answer: {error}\n")
        return 1
    sys.stderr.write(f"/ready answers {status}\n")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
