"""A replica's lag, by what was seen of the primary's log."""

from hypothesis import given
from hypothesis import strategies as st

from triples.store.postgresql.positions import before_header
from triples.store.postgresql.primary_log import PrimaryLog

# How far the log grows from one look to the next; nothing on an idle primary.
GROWTH = st.lists(st.integers(0, 3), max_size=50)


@given(GROWTH, st.integers(0, 160))
def test_the_lag_is_the_age_of_the_first_position_that_is_missing(growth: list[int], replayed: int) -> None:
    log, position, seen = PrimaryLog(), 0, []
    for second, step in enumerate(growth):
        position += step
        seen.append((position, float(second)))
        log.note(position, float(second))
    now = float(len(growth))
    missing = [moment for reached, moment in seen if reached > replayed]
    assert log.lag(replayed, now) == (now - missing[0] if missing else 0.0)


def test_another_primary_begins_anew() -> None:
    log = PrimaryLog()
    log.note(1000, 0.0)
    log.note(10, 1.0)
    assert log.lag(10, 5.0) == 0.0
    assert log.lag(9, 5.0) == 4.0


def test_the_oldest_positions_are_forgotten() -> None:
    log = PrimaryLog()
    for second in range(2000):
        log.note(second, float(second))
    assert log.lag(0, 2000.0) == 600.0


def test_the_end_of_a_full_page_is_that_of_its_last_record() -> None:
    page = 7 * 8192
    assert [before_header(page + offset) for offset in (0, 8, 24, 32, 40, 48)] == [
        page, page + 8, page, page + 32, page, page + 48,
    ]  # fmt: skip
