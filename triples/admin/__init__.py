"""The graph in Django's admin: facts and rules to look through and change, what was derived, terms to look up."""

from triples.admin.facts import TripleAdmin
from triples.admin.imports import ImportRunAdmin
from triples.admin.inferred import InferredTripleAdmin
from triples.admin.rules import RuleAdmin
from triples.admin.runs import RecursionRunAdmin
from triples.admin.terms import TermAdmin

__all__ = ["ImportRunAdmin", "InferredTripleAdmin", "RecursionRunAdmin", "RuleAdmin", "TermAdmin", "TripleAdmin"]
