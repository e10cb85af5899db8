"""Stretches of time: few, without a gap, with everything in them, and named apart."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from skg_site.overview.time_bins import MOST, bins, length_text, names, round_places

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # Hypothesis adds the zone
SPANS = st.timedeltas(timedelta(0), timedelta(days=30 * 365)) | st.timedeltas(timedelta(0), timedelta(hours=3))


@given(since=MOMENTS, span=SPANS)
def test_they_have_all_moments_between_the_two(since: datetime, span: timedelta) -> None:
    begins, length = bins(since, since + span)
    assert 1 <= len(begins) <= MOST
    assert begins[0] <= since < begins[0] + length
    assert begins[-1] <= since + span < begins[-1] + length
    assert all(after - before == length for before, after in pairwise(begins))
    labels = names(begins, length)
    assert len(labels) == len(begins)
    # By their names they are told apart, unless a year has passed.
    if span < timedelta(days=300):
        assert len(set(labels)) == len(labels)


def test_they_are_named_as_briefly_as_they_can_be() -> None:
    now = datetime(2026, 1, 15, 10, 47, tzinfo=UTC)
    told = {}
    for span in (
        timedelta(minutes=40),
        timedelta(hours=22),
        timedelta(days=3),
        timedelta(days=40),
        timedelta(days=900),
    ):
        begins, length = bins(now - span, now)
        told[length_text(length)] = names(begins, length)[-1]
    assert told == {
        "minute": "10:47",
        "30 minutes": "10:30",
        "3 hours": "15 Jan 09:00",
        "day": "15 Jan",
        "30 days": "2026-01",
    }


@given(since=MOMENTS, span=SPANS)
def test_those_that_are_named_are_few_and_evenly_spaced(since: datetime, span: timedelta) -> None:
    begins, length = bins(since, since + span)
    places = round_places(begins, length, 6)
    if places is not None:
        assert 2 <= len(places) <= 6
        assert len({after - before for before, after in pairwise(places)}) == 1


def test_they_are_named_at_round_times() -> None:
    now = datetime(2026, 1, 15, 10, 47, tzinfo=UTC)
    told = []
    for hours in (0.7, 22, 40 * 24):
        begins, length = bins(now - timedelta(hours=hours), now)
        labels = names(begins, length)
        told.append([labels[place] for place in round_places(begins, length, 6) or ()])
    assert told == [
        ["10:15", "10:30", "10:45"],
        ["18:00", "00:00", "06:00"],
        ["11 Dec", "18 Dec", "25 Dec", "1 Jan", "8 Jan", "15 Jan"],
    ]
