"""Texts of a file as terms, by columns: Python looks only at those that may have to be changed."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from triples.fact_validation import PLAIN_IS_CLEAN
from triples.store.fact_columns import TEXT


def clean_terms(texts: pa.Array, clean: Callable[[str], str], longest: int) -> pa.Array:
    """Each text as the term that `clean` makes of it, a function of `triples.fact_validation`; none may be missing.

    Raises TermError. `longest` is the most characters that `clean` allows.
    """
    given = texts.cast(TEXT)
    if not PLAIN_IS_CLEAN:
        return _cleaned(given, clean)
    odd = pc.invert(_is_plain(given, longest))
    return pc.replace_with_mask(given, odd, _cleaned(given.filter(odd), clean)) if pc.any(odd).as_py() else given


def _cleaned(texts: pa.Array, clean: Callable[[str], str]) -> pa.Array:
    return pa.array(map(clean, texts.to_pylist()), TEXT, size=len(texts))


def _is_plain(texts: pa.Array, longest: int) -> pa.Array:
    """For each text, True if it is a term as it is, since it is in ASCII. It may be False for others that are terms."""
    lengths = pc.binary_length(texts)
    has_length = pc.and_(pc.greater(lengths, 0), pc.less_equal(lengths, longest))
    has_space_around = pc.or_(pc.starts_with(texts, " "), pc.ends_with(texts, " "))
    return pc.and_(pc.and_not(has_length, has_space_around), pc.ascii_is_printable(texts))
