"""Change lists that cost the same however large the graph is.

Django's own counts all rows, and skips one by one those of the pages before. These ask the database once
for the ids of all rows that can be paged through, of which there are `REACH` at most.
"""

from abc import abstractmethod

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import InvalidPage, Paginator
from django.http import HttpRequest

from triples.query.fact_lists import REACH
from triples.text import TermError


class BoundedChangeList(ChangeList):
    """A change list whose rows are named by `find`; its queryset fetches and sorts those of one page only."""

    # Why what was typed finds nothing.
    fault: TermError | None = None

    @abstractmethod
    def find(self) -> list[int]:
        """The ids of the rows in their order; one more than `REACH` when there are more."""

    def get_results(self, request: HttpRequest) -> None:
        found = self.find()
        self.cut = len(found) > REACH
        self.paginator = Paginator(found[:REACH], self.list_per_page)
        try:
            page = self.paginator.page(self.page_num)
        except InvalidPage:
            raise IncorrectLookupParameters from None
        self.result_list = self.queryset.filter(pk__in=page.object_list)
        self.result_count = self.paginator.count
        self.multi_page = self.paginator.num_pages > 1
        self.full_result_count = None
        self.show_full_result_count = self.show_all = self.can_show_all = False
        self.show_admin_actions = bool(found)

    @property
    def known_total(self) -> int | None:
        """The number of all rows, where that is known without counting them."""
        return None

    @property
    def order_name(self) -> str:
        """A note about which rows are listed, where not all are."""
        return "first"

    @property
    def count_text(self) -> str:
        many = str(self.opts.verbose_name_plural)
        if self.cut:
            total = self.known_total
            count = f"More than {REACH:,}" if total is None else f"{total:,}"
            return f"{count} {many}; the {self.order_name} {REACH:,} are listed"
        return f"{self.result_count:,} {self.opts.verbose_name if self.result_count == 1 else many}"

    @property
    def notes(self) -> list[str]:
        """A note that the reader needs in order to understand the list."""
        return [f"This cannot be a term: it {self.fault}."] if self.fault else []
