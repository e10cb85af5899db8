"""What a process that failed tells, as a problem of the request and as a sentence in the row of its import."""

import pytest

from triples.files.faults import Crashed, End, death_of, end_of, fault_of

TRACEBACK = b"Traceback (most recent call last):\n"
FAULTS = [
    # The exit code, the last words, the status of the problem, and a part of its sentence.
    (1, b"CommandError: The database did not do it: database is locked.", 503, "database"),
    (1, b"CommandError: disk: No space left on device.", 503, "Try again"),
    (1, b"The database is of a newer version.", 503, "Try again"),
    (2, b"CommandError: --safe-csv is for CSV, not for tsv.", 422, "`safe_csv` is for CSV, not for tsv."),
    (1, TRACEBACK + b"KeyError: 1\nCommandError: x", 500, "crashed"),
    (1, b"", 500, "crashed"),
    (-9, b"", 503, "ended from outside"),
    (-15, b"x", 503, "ended from outside"),
    (-11, b"", 500, "crashed"),
    (-6, b"memory allocation of 99 bytes failed\nstack backtrace:\n" + b" 1: f\n" * 9_000, 422, "needs more than"),
    (-6, b"terminate called after throwing an instance of 'std::bad_alloc'", 422, "needs more than"),
    (1, TRACEBACK + b"MemoryError", 422, "needs more than"),
]


@pytest.mark.parametrize(("code", "complaint", "status", "part"), FAULTS)
def test_each_end_of_a_process_is_one_problem(code: int, complaint: bytes, status: int, part: str) -> None:
    problem = fault_of("export", code, complaint)
    told = str(problem.detail) + str([error["msg"] for error in problem.errors])
    assert (problem.status_code, part in told) == (status, True)
    assert isinstance(problem, Crashed) == (status == 500)


@pytest.mark.parametrize(("code", "complaint", "status", "part"), FAULTS)
def test_the_row_of_an_import_is_judged_by_the_same_rule(code: int, complaint: bytes, status: int, part: str) -> None:
    end = end_of(code, complaint)
    assert end.is_of_service == (status != 422)
    assert (end == End.CRASH) == ("crashed" in death_of(code, complaint)) == (status == 500)


@pytest.mark.parametrize(
    ("code", "complaint", "part"),
    [
        (-9, b"", "ended from outside"),
        (0, b"", "ended from outside"),
        (-11, b"", "crashed"),
        (-6, b"", "SKG_IMPORT_MEMORY"),
        (-6, b"memory allocation of 99 bytes failed", "needs more than"),
        (1, TRACEBACK + b"KeyError: 1", "crashed"),
        (69, b"CommandError: The database did not do it: database is locked.", "database"),
    ],
)
def test_the_row_of_an_import_tells_its_death(code: int, complaint: bytes, part: str) -> None:
    assert part in death_of(code, complaint)
