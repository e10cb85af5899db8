"""The graph that imports and recursion are measured with, and commands on a database of its own."""

import lzma
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from skg_site.env import BASE_DIR
from tests.benchmarks.generator import Graph, tsv_line
from tests.benchmarks.report import Settings
from tests.benchmarks.servers import EVERYTHING_ON, Failed
from tests.support.environment import process_environment, service_variables

FACTS, QUICK_FACTS = 400_000, 20_000


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
    ended = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=process_environment(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise Failed(f"manage.py {' '.join(arguments)}: {ended.stderr[-2000:]}")
    return ended.stdout


def summary(variables: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """The last line of JSON that the command printed."""
    content: dict[str, Any] = orjson.loads(commanded(variables, *arguments, "--json").splitlines()[-1])
    return content
