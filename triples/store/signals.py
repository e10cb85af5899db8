"""What the store tells whoever counts or traces its work; it knows none of them."""

from django.dispatch import Signal

# A group was committed: its `operations`, and the `seconds` that this took once it was its turn. From the writer's
# own thread, after those who wait for it have their answers.
group_committed = Signal()

# Rules were committed in a transaction of their own, which took so many `seconds` once it was its turn. In the thread
# that did it.
rules_committed = Signal()
