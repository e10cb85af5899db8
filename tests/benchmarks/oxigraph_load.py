"""Oxigraph's bulk load on disk, run by an interpreter that has pyoxigraph: `oxigraph_load.py FACTS.tsv FOLDER`.

Prints seconds as JSON: to load the facts of the TSV file, and to load the same facts from a file of N-Triples, which is
what Oxigraph reads fastest; writing that file is not counted.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyoxigraph

BASE = "http://example.org/"


def main(facts: Path, folder: Path) -> None:
    begin = time.perf_counter()
    store = pyoxigraph.Store(str(folder / "from-tsv"))
    store.bulk_extend(pyoxigraph.Quad(*map(pyoxigraph.NamedNode, names)) for names in _names(facts))
    store.flush()
    seconds_from_tsv = time.perf_counter() - begin
    stored = len(store)
    del store

    triples = folder / "facts.nt"
    with triples.open("w", encoding="utf-8") as file:
        file.writelines("{} .\n".format(" ".join(f"<{name}>" for name in names)) for names in _names(facts))
    begin = time.perf_counter()
    store = pyoxigraph.Store(str(folder / "from-triples"))
    store.bulk_load(path=str(triples), format=pyoxigraph.RdfFormat.N_TRIPLES)
    store.flush()
    seconds_from_triples = time.perf_counter() - begin
    found = {"tsv": seconds_from_tsv, "triples": seconds_from_triples, "facts": stored}
    sys.stdout.write(json.dumps(found))


def _names(facts: Path) -> Iterator[list[str]]:
    with facts.open(encoding="utf-8") as lines:
        for line in lines:
            yield [BASE + quote(term) for term in line.rstrip("\n").split("\t")[:3]]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
