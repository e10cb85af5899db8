"""What is wrong with a replica, by its answer: the same words in the log and for operators."""

import pytest

from triples.store.postgresql.replica_answers import Answer, Identity, late, silent, unfit, unreachable

OURS = (7, 16_384)


@pytest.mark.parametrize(
    ("answer", "primary", "fault"),
    [
        (Answer(100, OURS), OURS, ""),
        (Answer(0, OURS), OURS, ""),
        (Answer(100, (8, 16_384)), None, ""),
        (Answer(100, (8, 16_384)), OURS, "is a replica of another database"),
        (Answer(100, (7, 5)), OURS, "is a replica of another database"),
        (Answer(None, OURS), OURS, "is no replica: it takes writes, or has just begun to"),
        (Answer(None, (0, 0)), None, "is no replica: it takes writes, or has just begun to"),
    ],
)
def test_a_replica_is_one_of_this_primary(answer: Answer, primary: Identity | None, fault: str) -> None:
    assert unfit(answer, primary) == fault


def test_the_other_faults_go_on_after_its_name() -> None:
    assert (late(1.0, 1.0), late(1.1, 1.0)) == ("", "lags by more than 1 seconds")
    assert silent(3.0) == "has not answered for 3 seconds"
    assert unreachable(OSError("no\n route")) == "cannot be reached: no route"
    assert unreachable(OSError()) == "cannot be reached: OSError"
