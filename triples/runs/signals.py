"""Signals of a run, sent in the run's process, for modules that trace it."""

from django.dispatch import Signal

# The service is about to start a run's process, whose environment is `variables`.
run_requested = Signal()
# `run` has the lease.
run_started = Signal()
# A round of `run` ended: its `number`, the `new` and `improved` facts, and its `seconds`.
round_ended = Signal()
# The row of `run` says how it ended.
run_ended = Signal()
