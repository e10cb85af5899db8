"""Signals of the store, for modules that count or trace its work."""

from django.dispatch import Signal

# A group was committed: its `operations`, and the `seconds` that this took without the wait for the write lock. Sent in
# the writer's thread, after the operations are answered.
group_committed = Signal()
