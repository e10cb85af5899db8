"""Programs that the development requirements bring with them, and the shipped files that they are run on."""

import subprocess
import sys
from pathlib import Path

from skg_site.env import BASE_DIR

DEPLOY = BASE_DIR / "deploy"


def run(name: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment in the project's folder, with no variables but these."""
    return subprocess.run(
        [Path(sys.executable).with_name(name), *arguments],
        cwd=BASE_DIR,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
