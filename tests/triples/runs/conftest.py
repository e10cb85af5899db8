"""Fixtures of the tests of runs."""

from typing import Any

import pytest


@pytest.fixture
def graph(database: None) -> Any:
    # pytest loads this module before there are settings, which this needs.
    from tests.triples.runs.graphs import Graph

    return Graph()
