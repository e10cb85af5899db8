"""The texts of many terms of N-Triples at once: most are as simple as that, and one expression finds these out."""

import re
from collections.abc import Callable, Sequence

from django.conf import settings

from triples.exchange.rdf.terms import TermTexts
from triples.fact_validation import LONGEST_TERM, clean_text

# A usual IRI as its namespace and the rest of it; a string that is no other term; a literal that is its own text.
_CHAR = r"[\w.~!$&'()*+,;=@?-]|%[0-9A-Fa-f]{2}"
_IRI = rf"<(https?://[\w.~-]+(?:[/#?](?:{_CHAR}|[/#:])*[/#:]|[/#]))((?:{_CHAR})*+)>"
_STRING = r'"((?![<_ ])[ !#-9;-\[\]-~]*+(?<! ))"(?<!"")'
_XSD = "http://www.w3.org/2001/XMLSchema#"
_LITERAL = (
    r'("[ !#-\[\]-~]*+"'
    rf"(?:@[a-z]{{2,3}}|\^\^<{re.escape(_XSD)}(?:integer|decimal|double|float|boolean|date|dateTime|gYear)>))"
)
_TERM = re.compile(rf"^(?:{_IRI}|{_STRING}|{_LITERAL}|(.+))$", re.ASCII | re.MULTILINE)
# Gets terms as N-Triples writes them, each once, and returns the texts by which they are stored.
TextsOf = Callable[[Sequence[str]], list[str]]
_MOST_NAMESPACES = 10_000


class CleanTexts:
    """The texts, as they are stored, of terms as N-Triples writes them. Raises ValueError for what cannot be stored."""

    def __init__(self, texts: TermTexts) -> None:
        self._texts = texts
        self._beginnings: dict[str, str] = {}
        self._is_quick = settings.ENV.term_pattern == "any" and texts.compacts_by_namespace

    def __call__(self, written: Sequence[str]) -> list[str]:
        if not self._is_quick:
            return list(map(self._clean, written))
        parts = _TERM.findall("\n".join(written))
        if len(parts) != len(written):
            raise ValueError("a term has a line end")
        beginnings = self._beginnings
        if len(beginnings) > _MOST_NAMESPACES:
            beginnings.clear()
        for namespace in {part[0] for part in parts if part[0] not in beginnings}:
            beginnings[namespace] = self._texts.beginning(namespace)
        found = [
            beginnings[namespace] + rest if namespace else text or literal or self._clean(other)
            for namespace, rest, text, literal, other in parts
        ]
        if max(map(len, found), default=0) > LONGEST_TERM:
            raise ValueError("a term is too long")
        return found

    def _clean(self, written: str) -> str:
        return clean_text(self._texts.checked_text(written))
