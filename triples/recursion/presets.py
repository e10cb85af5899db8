"""Rule files that come with the service.

`rdfs` is what RDF Schema says of domains, ranges, sub-properties and sub-classes (rules rdfs2, 3, 5, 7, 9, 11, 12 and
13 of RDF 1.1 Semantics; those that make every term a resource, or everything part of itself, are left out, as are the
axiomatic triples and whatever looks inside literals). `owl` is
the part of OWL 2 RL that makes new facts of properties and classes, property chains of two links among it, as they
stand in RDF: a list of which every link is a fact. `hierarchy` is for kinds and parts in plain words.
"""

import json
from pathlib import Path

from triples.recursion.rules import Rule
from triples.recursion.shorthands import expand_all

_FOLDER = Path(__file__).with_suffix("")


def names() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.json"))


def load(name: str) -> list[Rule]:
    """The rules of a preset; KeyError if there is none of that name."""
    if name not in names():
        raise KeyError(name)
    return expand_all(json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8")))
