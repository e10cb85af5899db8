"""A progress bar, where the package rich is installed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .uploading import Progress


@contextmanager
def progress_bar() -> "Iterator[Callable[[Progress], None] | None]":
    """A function to tell the progress to; None without rich."""
    try:
        from rich import progress as rich  # noqa: PLC0415  # an extra
    except ImportError:
        yield None
        return
    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.MofNCompleteColumn())
    with rich.Progress(*columns, rich.TimeElapsedColumn()) as bar:
        task = bar.add_task("Adding facts", total=None)

        def tell(progress: "Progress") -> None:
            wait = progress.wait
            text = "Adding facts" if wait is None else f"Waiting {wait.seconds:,.1f} s"
            bar.update(task, completed=progress.done, total=progress.total, description=text)

        yield tell
