"""Static files are looked for once: each client of Django's, so most tests of pages, has middleware of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from servestatic.middleware import ServeStaticMiddleware


@contextmanager
def found_once() -> Iterator[None]:
    """While this lasts, the first middleware reads the folders of static files, and the others know them from it."""
    find = ServeStaticMiddleware.add_files_from_finders
    known: dict[str, Any] = {}

    def add(middleware: Any) -> None:
        if not known:
            find(middleware)
            known.update(middleware.files)
        middleware.files.update(known)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ServeStaticMiddleware, "add_files_from_finders", add)
        yield
