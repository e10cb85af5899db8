"""Programs that tests need and pip cannot install."""

import os
import shutil

import pytest


def require_tool(name: str) -> str:
    """The program's path. Where it is missing, the test is skipped; in CI, which installs it, the test fails."""
    path = shutil.which(name)
    if path is None:
        sentence = f"{name} is not installed, so this was not tested"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return path
