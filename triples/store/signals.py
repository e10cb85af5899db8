"""Signals of the store, for modules that count or trace its work."""

from django.dispatch import Signal

# A group was committed: its `operations`, and the `seconds` that this took without the wait for the write lock. Sent in
# the writer's thread, after the operations are answered.
group_committed = Signal()

# Rules were committed in a transaction of their own, which took `seconds` without the wait for the write lock. Sent in
# the thread that did it.
rules_committed = Signal()
