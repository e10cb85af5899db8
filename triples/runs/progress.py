"""The progress of a run on standard error: a bar on a terminal, otherwise one JSON line for each round."""

import orjson
from django.core.management.base import OutputWrapper

from skg_site.cli.progress import ProgressBar


class RunProgress(ProgressBar):
    """A `Watcher`."""

    def __init__(self, stderr: OutputWrapper) -> None:
        super().__init__()
        self._stderr = stderr

    def stage(self, name: str, done: int, total: int | None) -> None:
        self.report(name, done, total, f"{done:,}" if total is None else f"{done:,} of {total:,}")

    def round(self, number: int, new: int, improved: int, total: int, seconds: float) -> None:
        rate = total / max(self.seconds, 1e-3)
        details = f"round {number}: {new:,} new, {improved:,} improved, {total:,} in all, {rate:,.0f}/s"
        self.report("inference", 0, None, details)
        if not self.is_terminal:
            line = {
                "event": "round", "round": number, "new": new, "improved": improved, "total": total,
                "seconds": round(seconds, 3),
            }  # fmt: skip
            self._stderr.write(orjson.dumps(line).decode(), lambda text: text)
