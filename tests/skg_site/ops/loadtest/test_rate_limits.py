"""Whether a load fits into its key's limit."""

import pytest

from skg_site.ops.loadtest.driver import Plan
from skg_site.ops.loadtest.mixes import Mix, Work
from skg_site.ops.loadtest.rate_limits import Limit, refusal

MIX: Mix = {Work.QUERY: 80, Work.ADD: 20}
HUNDRED = Limit(100, 60)


@pytest.mark.parametrize(
    ("limit", "rate", "told"),
    [
        (HUNDRED, None, "as fast as it is answered"),
        # In a minute 200 are let in, and four of five requests are queries.
        (HUNDRED, 4.2, "4.2 requests a second"),
        (HUNDRED, 4.1, None),
        (Limit(1000, 1), 1000, None),
        (Limit(1000, 1), 2000, "2000 requests a second"),
        (Limit(5, 3600), 1, "(--rate 0.1)"),
    ],
)
def test_a_load_over_the_limit_is_refused_with_what_would_fit(
    limit: Limit, rate: float | None, told: str | None
) -> None:
    said = refusal(limit, Plan(1, duration=50, warm_up=10, rate=rate), MIX)
    assert (said is None) == (told is None)
    assert told is None or told in str(said)


@pytest.mark.parametrize("limit", [HUNDRED, Limit(1, 1), Limit(5, 3600), Limit(10_000, 60)])
def test_the_rate_that_is_proposed_fits(limit: Limit) -> None:
    plan = Plan(1, duration=50, warm_up=10)
    said = refusal(limit, plan, MIX)
    assert said is not None
    proposed = float(said.split("--rate ")[2].split(")")[0])
    assert refusal(limit, Plan(1, 50, 10, proposed), MIX) is None


def test_a_limit_says_how_many_it_lets_in() -> None:
    assert HUNDRED.room(60) == 200
