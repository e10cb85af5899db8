"""The progress bar of a command that reads or writes facts."""

from skg_site.cli.progress import ProgressBar


class FactProgress(ProgressBar):
    _total: int | None = None

    def expect(self, total: int | None) -> None:
        """Set the total that `show` counts up to, if it is known."""
        self._total = total

    def show(self, done: int, facts: int) -> None:
        """Show the amount that is done, and the number of facts."""
        self.report("", done, self._total, f"{facts:,} facts, {facts / max(self.seconds, 1e-9):,.0f}/s")
