"""An import into a database that holds a large graph already, beside the same import into an empty one."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.graphs import fresh_database, graph_file, graph_name, summary
from tests.benchmarks.report import Settings
from tests.benchmarks.scale_graphs import database_of


@dataclass(frozen=True, slots=True)
class Imports:
    """The seconds of each round."""

    graph: str
    into_empty: Sequence[float]
    into_large: Sequence[float]

    @property
    def ratio(self) -> float:
        """How fast the import into the large graph is beside the other one, as the median of the rounds."""
        return median(empty / large for empty, large in zip(self.into_empty, self.into_large, strict=True))


def imports(settings: Settings, database: Path) -> Imports:
    """Measure with copies of the database of a service that is stopped."""
    file = graph_file(settings)
    into_empty: list[float] = []
    into_large: list[float] = []
    folder = settings.folder / "import"
    for _ in range(settings.rounds):
        variables = fresh_database(folder)
        into_empty.append(summary(variables, "import_triples", str(file))["seconds"])
        shutil.rmtree(folder)
        folder.mkdir()
        shutil.copy(database, database_of(folder))
        # Or else the import would wait for the copy to be on disk.
        os.sync()
        into_large.append(summary(variables, "import_triples", str(file))["seconds"])
    return Imports(graph_name(settings), into_empty, into_large)
