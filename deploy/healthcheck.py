"""Exit code 0 when the service on this host answers /ready with success, for the image's HEALTHCHECK.

Nothing of the service is imported, so that a probe costs no more than Python's start.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

# More than /ready itself waits for its database, less than the image's HEALTHCHECK waits for this.
PATIENCE = 5.5


def main() -> int:
    host = os.environ.get("SKG_HOST") or "127.0.0.1"
    # A service that listens on every address is asked on loopback.
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
