"""How many examples a property is tried on: few in every run of the suite, thousands with --hypothesis-profile=long."""

from hypothesis import HealthCheck, settings

# Fixtures that empty the database do so once for all examples of a test, which count with that.
_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

# The same examples each time: a change is judged by what it changes.
settings.register_profile("suite", max_examples=25, deadline=None, suppress_health_check=_CHECKS, derandomize=True)
settings.register_profile("long", max_examples=2_000, deadline=None, suppress_health_check=_CHECKS)
settings.load_profile("suite")


def examples(share: float) -> int:
    """So many of the profile's examples, for a property whose examples take long."""
    return max(1, int(settings().max_examples * share))
