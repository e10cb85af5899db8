"""A stored rule as the SQL that the engine runs for it."""

from triples.models import Rule as StoredRule
from triples.recursion.programs import bind, constants
from triples.recursion.sql import rule_sql
from triples.store.term_lookup import find_term_ids


def stored_rule_sql(stored: StoredRule) -> str:
    """The SQL of a rule, with the ids of this graph's terms. A constant that is none yet gets a negative number."""
    rule = stored.parsed
    texts = sorted(constants(rule))
    ids = {text: -number for number, text in enumerate(texts, start=1)}
    ids |= find_term_ids(texts)
    [bound] = bind([rule], ids).rules
    return rule_sql(bound, {id_: text for text, id_ in ids.items()})
