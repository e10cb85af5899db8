"""The service's version, read from CHANGELOG.md, its only source."""

import re

from skg_site.env import BASE_DIR


def _latest(changelog: str) -> str:
    match = re.search(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    if match is None:
        raise ValueError("CHANGELOG.md has no heading such as: ## 1.2.0")
    return match[1]


VERSION = _latest((BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8"))
