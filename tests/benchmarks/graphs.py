"""The graph that imports and recursion are measured with, and commands on a database of its own."""

import lzma
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.generator import Graph, tsv_line
from tests.benchmarks.report import Settings
from tests.benchmarks.servers import EVERYTHING_ON, Failed
from tests.support.environment import process_environment, service_variables
from tests.support.processes import run_python

FACTS, QUICK_FACTS = 400_000, 20_000
LONGEST_SECONDS = 86_400


def graph_file(settings: Settings) -> Path:
    """The graph that was given, unpacked, or else a generated one."""
    file = settings.folder / "facts.tsv"
    if settings.graph is None:
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(map(tsv_line, Graph(QUICK_FACTS if settings.quick else FACTS)))
    elif settings.graph.suffix == ".xz":
        with lzma.open(settings.graph) as packed, file.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    else:
        shutil.copy(settings.graph, file)
    return file


def graph_name(settings: Settings) -> str:
    return "a generated graph" if settings.graph is None else settings.graph.name


def fresh_database(folder: Path) -> dict[str, str]:
    """The variables of a service with an empty, migrated database in this folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    variables = service_variables(folder, **EVERYTHING_ON)
    commanded(variables, "migrate", "--no-input")
    return variables


def commanded(variables: Mapping[str, str], *arguments: str) -> str:
    """What `manage.py` printed, if it went well."""
    ended = run_python(["manage.py", *arguments], env=process_environment(variables), timeout=LONGEST_SECONDS)
    if ended.returncode:
        raise Failed(f"manage.py {' '.join(arguments)}: {ended.stderr.decode()[-2000:]}")
    return ended.stdout.decode()


def summary(variables: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """The last line of JSON that the command printed."""
    content: dict[str, Any] = orjson.loads(commanded(variables, *arguments, "--json").splitlines()[-1])
    return content
