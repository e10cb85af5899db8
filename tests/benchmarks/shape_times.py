"""Processor time of questions in process: `python -m tests.benchmarks.shape_times FACTS.tsv QUESTIONS.json ROUNDS`.

The environment names the database that has these facts. Prints as JSON, for each shape, the seconds that each question
took the service, Oxigraph and DuckDB, and how many DuckDB gave up. Fails if their answers differ.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from threading import Timer
from time import process_time
from typing import Any

import django
import duckdb
import orjson
import pyarrow as pa
import pyoxigraph

from tests.benchmarks.shape_questions import LIMIT, Answers, Drawn, Fact, compare, iri, sparql
from triples.patterns import Variable
from triples.query.questions import Question

# Thresholds of the collector, as in `skg_site.server.lifespan`.
GARBAGE = (10_000, 20, 50)
# DuckDB joins whole tables, which may be far too much for the first answers: so much it may take for a question.
MEMORY, SECONDS = "500MB", 1.0
# Oxigraph has IRIs for terms. None: given up.
Ask = Callable[[Drawn], Answers | None]


def main(facts: Path, asked: Path, rounds: int) -> None:
    keys = [line.split("\t") for line in facts.read_text(encoding="utf-8").splitlines()]
    questions: Mapping[str, list[Drawn]] = orjson.loads(asked.read_bytes())
    with service() as ours:
        asking = {"skg": ours, "oxigraph": oxigraph(keys), "duckdb": in_duckdb(keys)}
        # As in the service's processes: what was made at the start is not looked at for garbage again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE)
        times = {shape: _times(asking, drawn, rounds) for shape, drawn in questions.items()}
    sys.stdout.write(orjson.dumps(times).decode())


def _times(asking: Mapping[str, Ask], questions: Sequence[Drawn], rounds: int) -> Mapping[str, Any]:
    """The least time that each question took everybody; all are asked in turn."""
    least = {name: [inf] * len(questions) for name in asking}
    given_up: set[tuple[str, int]] = set()
    for number, question in [*enumerate(questions)] * rounds:
        found: dict[str, Answers | None] = {}
        for name, ask in asking.items():
            if (name, number) in given_up:
                continue
            begin = process_time()
            found[name] = ask(question)
            least[name][number] = min(least[name][number], process_time() - begin)
            if found[name] is None:
                given_up.add((name, number))
        compare(question, *(answers for answers in found.values() if answers is not None))
    return {**least, "given up": len(given_up)}


@contextmanager
def service() -> Iterator[Ask]:
    """Ask in the database that the settings name, as the service's threads do."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skg_site.settings")
    django.setup()
    # Their models need the settings.
    from triples.query.explanations import own_connection
    from triples.query.finding_answers import find_answers
    from triples.query.graph_facts import GraphFacts

    with own_connection(always=True) as (session, dialect, _shown):
        source = GraphFacts(session.rows, dialect, None)

        def ask(drawn: Drawn) -> Answers:
            patterns = tuple((Variable(one), predicate, Variable(other)) for one, predicate, other in drawn)
            found = find_answers(Question(patterns), source, lambda: False, k=LIMIT)
            texts = found.named.texts
            return [[texts[term] for term in answer.terms] for answer in found.answers]

        yield ask


def oxigraph(facts: Sequence[Fact]) -> Ask:
    store = pyoxigraph.Store()
    store.bulk_extend(pyoxigraph.Quad(*[pyoxigraph.NamedNode(iri(term)) for term in fact]) for fact in facts)

    def ask(drawn: Drawn) -> Answers:
        found = store.query(sparql(drawn))
        assert isinstance(found, pyoxigraph.QuerySolutions)
        return [[term.value for term in solution] for solution in found]

    return ask


def in_duckdb(facts: Sequence[Fact]) -> Ask:
    """Facts as numbers, and the names only of the terms in answers: the best that its user can do."""
    ids: dict[str, int] = {}
    rows = [[ids.setdefault(term, len(ids)) for term in fact] for fact in facts]
    connection = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY, "temp_directory": ""})
    for name, table in (
        ("given", pa.table(dict(zip("spo", zip(*rows, strict=True), strict=True)))),
        ("named", pa.table({"text": list(ids), "id": list(ids.values())})),
    ):
        connection.register(name, table)
    connection.execute("CREATE TABLE fact AS SELECT * FROM given ORDER BY p, s; CREATE TABLE term AS FROM named")

    def ask(drawn: Drawn) -> Answers | None:
        places: dict[str, str] = {}
        conditions = [f"f{number}.p = {ids[predicate]}" for number, (_, predicate, _) in enumerate(drawn)]
        for number, (one, _, other) in enumerate(drawn):
            for name, place in ((one, f"f{number}.s"), (other, f"f{number}.o")):
                conditions += [f"{place} = {places[name]}"] if name in places else []
                places.setdefault(name, place)
        columns = ", ".join(f"{place} AS {name}" for name, place in places.items())
        tables = ", ".join(f"fact AS f{number}" for number in range(len(drawn)))
        found = f"SELECT {columns} FROM {tables} WHERE {' AND '.join(conditions)} LIMIT {LIMIT}"
        names = " ".join(f"JOIN term AS t{name} ON t{name}.id = found.{name}" for name in places)
        texts = ", ".join(f"t{name}.text" for name in places)
        timer = Timer(SECONDS, connection.interrupt)
        timer.start()
        try:
            return connection.execute(f"SELECT {texts} FROM ({found}) AS found {names}").fetchall()
        except (duckdb.InterruptException, duckdb.OutOfMemoryException):
            return None
        finally:
            timer.cancel()

    return ask


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
