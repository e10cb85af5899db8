"""The progress bar of a command that reads or writes facts."""

from skg_site.cli.progress import ProgressBar


class FactProgress(ProgressBar):
    _total: int | None = None

    def expect(self, total: int | None) -> None:
        """Set what `show` counts up to, where that is known."""
        self._total = total

    def show(self, done: int, facts: int) -> None:
        """Show how much is done, and how many facts that was."""
        self.report("", done, self._total, f"{facts:,} facts, {facts / max(self.seconds, 1e-9):,.0f}/s")
