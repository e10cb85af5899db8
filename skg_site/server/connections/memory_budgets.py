"""Limits on the memory that a worker holds for incomplete requests."""

from django.conf import settings

from skg_site.api.door import is_site

# At least this many bodies of the greatest size may be on their way at once.
LEAST_BODIES = 8
API_BYTES = max(64 << 20, LEAST_BODIES * settings.ENV.max_body_bytes)
# The admin reads bodies before it knows the sender. They must not crowd out those of the API, which asks first.
SITE_BYTES = max(16 << 20, 2 * settings.ENV.max_body_bytes)
# For requests that are sent before earlier ones are answered, which hardly any client does.
UNREAD_BYTES = 16 << 20


class Budget:
    """The bytes that all connections of a worker may hold together."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0


class Share:
    """The bytes that one connection holds of a budget."""

    __slots__ = ("budget", "size")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.size = 0

    def hold(self, size: int) -> bool:
        """Set the size of this share. Returns False if the budget is exceeded, and something must be given up."""
        self.budget.held += size - self.size
        self.size = size
        return self.budget.held <= self.budget.most

    def release(self) -> None:
        self.budget.held -= self.size
        self.size = 0


API_BODIES, SITE_BODIES, UNREAD = Budget(API_BYTES), Budget(SITE_BYTES), Budget(UNREAD_BYTES)


def bodies_of(path: str) -> Budget:
    """The budget for the body of a request to this path."""
    return SITE_BODIES if is_site(path) else API_BODIES
