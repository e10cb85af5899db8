"""The graph in Django's admin: facts to look through and change, terms to look up."""

from triples.admin.facts import TripleAdmin
from triples.admin.terms import TermAdmin

__all__ = ["TermAdmin", "TripleAdmin"]
