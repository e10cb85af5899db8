"""A summary is for people and for programs, and shows every failure."""

from skg_site.ops.loadtest.mixes import Work
from skg_site.ops.loadtest.summary import Summary
from skg_site.ops.loadtest.tally import Tally


def tally(*milliseconds: float, **failures: int) -> Tally:
    made = Tally()
    for one in milliseconds:
        made.count("200", one / 1000, succeeded=True)
    for outcome, number in failures.items():
        for _ in range(number):
            made.count(outcome.removeprefix("_").replace("_", " "), 9.0, succeeded=False)
    return made


def test_throughput_and_latency_are_of_what_succeeded() -> None:
    content = Summary({Work.QUERY: tally(1, 2, 3, 40, _429=6)}, 2.0, 0).content
    assert content["requests"] == 10
    assert content["failed"] == 6
    assert content["failed_share"] == 0.6
    assert content["per_second"] == 2.0
    assert content["statuses"] == {"429": 6, "200": 4}
    assert content["latency_ms"]["max"] == 40
    assert 2 <= content["latency_ms"]["p50"] < 2.02
    assert content["latency_ms"]["p99"] == content["latency_ms"]["p99_9"] == 40


def test_the_whole_is_the_sum_of_its_kinds() -> None:
    summary = Summary({Work.QUERY: tally(1, 2), Work.ADD: tally(3, timeout=1)}, 1.0, 0)
    content = summary.content
    assert content["requests"] == sum(kind["requests"] for kind in content["work"].values()) == 4
    assert list(content["work"]) == ["add", "query"]
    assert sum(step["count"] for step in content["histogram"]) == 3
    lines = summary.text.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["add", "query", "all"]
    assert "  timeout: 1 of add" in lines


def test_the_histogram_goes_from_the_first_to_the_last_step_that_holds_anything() -> None:
    content = Summary({Work.QUERY: tally(0.9, 0.95, 7)}, 1.0, 0).content
    assert content["histogram"] == [
        {"up_to_ms": 1.0, "count": 2},
        {"up_to_ms": 2.0, "count": 0},
        {"up_to_ms": 5.0, "count": 0},
        {"up_to_ms": 10.0, "count": 1},
    ]


def test_bars_are_as_long_as_their_counts() -> None:
    text = Summary({Work.QUERY: tally(*[0.95] * 100, *[1.9] * 50, 4)}, 1.0, 0).text
    bars = [line.count("█") for line in text.splitlines() if "≤" in line]
    assert bars == [50, 25, 1]


def test_one_kind_of_work_needs_no_line_for_all() -> None:
    assert "all" not in Summary({Work.QUERY: tally(1)}, 1.0, 0).text


def test_times_are_told_in_the_unit_that_suits_them() -> None:
    [_, row, *_] = Summary({Work.QUERY: tally(0.25, 0.25, 0.25, 1500)}, 1.0, 0).text.splitlines()
    assert "250 µs" in row
    assert "1.5 s" in row


def test_what_was_due_and_not_sent_is_told() -> None:
    assert "1,234 requests that were due were not sent" in Summary({Work.QUERY: tally(1)}, 1.0, 1234).text


def test_a_limit_is_explained() -> None:
    assert "--rate 0" in Summary({Work.QUERY: tally(_429=1)}, 1.0, 0).text


def test_a_load_that_did_nothing_did_not_go_well() -> None:
    summary = Summary({}, 0.0, 0)
    assert summary.failed_share == 1
    assert summary.content["per_second"] == 0
    assert summary.content["histogram"] == []
