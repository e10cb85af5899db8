"""Several processes write overlapping facts at once: none fails, none waits for ever, and the tallies stay exact."""

import json
import os
import subprocess

import pytest

from tests.support.database import in_orm
from tests.support.processes import PythonProcess
from tests.triples.store.graphs import counted, stored_rows, tallied

PROCESSES = 4


@pytest.mark.process
@pytest.mark.both
@pytest.mark.usefixtures("database")
def test_writers_of_several_processes_get_on_with_each_other() -> None:
    processes = [
        PythonProcess(
            ["-m", "tests.triples.store.writing_process", str(seed)],
            env=os.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for seed in range(PROCESSES)
    ]
    for process in processes:
        output, errors = process.communicate(timeout=100)
        assert (process.returncode, json.loads(output.splitlines()[-1])) == (0, {}), errors
    facts, subjects = in_orm(tallied)
    assert (facts, subjects) == in_orm(counted)
    assert facts == len(in_orm(stored_rows)) > 0
