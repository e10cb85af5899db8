"""The pages of the documentation, each beside the code that it is about."""

from skg_site.env import BASE_DIR

PAGES = sorted(
    path
    for pattern in ("*.md", "*/*.md", "deploy/client/*.md")
    for path in BASE_DIR.glob(pattern)
    if not path.relative_to(BASE_DIR).as_posix().startswith(".") and path.name != "CHANGELOG.md"
)
TEXTS = {path.relative_to(BASE_DIR).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
