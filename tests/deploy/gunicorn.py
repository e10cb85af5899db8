"""What gunicorn's configuration comes to."""

import json
import subprocess
import sys
from typing import Any

from tests.deploy.programs import DEPLOY

_SHOW = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])[sys.argv[2]]))"


def gunicorn_setting(name: str) -> Any:
    """One of them, as a process of its own reads it: the file configures the log of whoever runs it."""
    command = [sys.executable, "-c", _SHOW, str(DEPLOY / "gunicorn.conf.py"), name]
    return json.loads(subprocess.run(command, cwd=DEPLOY.parent, capture_output=True, check=True).stdout)
