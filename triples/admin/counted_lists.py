"""Change lists of tables that stay small, in the templates that are made for the large ones."""

from django.contrib.admin.views.main import ChangeList


class CountedChangeList(ChangeList):
    """Django's own, which counts its rows."""

    notes: tuple[str, ...] = ()

    @property
    def count_text(self) -> str:
        name = self.opts.verbose_name if self.result_count == 1 else self.opts.verbose_name_plural
        return f"{self.result_count:,} {name}"
