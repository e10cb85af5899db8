"""Presets: rule files that come with the service.

`rdfs` has RDF Schema's rules for domains, ranges, sub-properties and sub-classes (rdfs2, 3, 5, 7, 9, 11, 12 and 13 of
RDF 1.1 Semantics). It leaves out the rules that make every term a resource or a part of itself, the axiomatic triples,
and rules that look inside literals. `owl` has the rules of OWL 2 RL that derive facts from properties and classes,
with property chains of two links; a chain is an RDF list, each link a fact. `hierarchy` is for kinds and parts in plain
words.
"""

import json
from pathlib import Path

from triples.recursion.rules import Rule
from triples.recursion.shorthands import expand_all

_FOLDER = Path(__file__).with_suffix("")


def names() -> list[str]:
    return sorted(file.stem for file in _FOLDER.glob("*.json"))


def load(name: str) -> list[Rule]:
    """Return the rules of a preset; KeyError if no preset has this name."""
    if name not in names():
        raise KeyError(name)
    return expand_all(json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8")))
