"""Facts by their ids or keys, one or many, and the texts of terms: the statements, and the reads of one fact."""

from triples.query.fact_rows import ASSERTED, InferredRow
from triples.recursion.programs import Key
from triples.store.dialect import Dialect
from triples.store.fact_tables import EXACT, InferredFilter
from triples.store.inferred.layout import KEY, PROOF
from triples.store.inferred.read_snapshots import VisibleFacts
from triples.store.operations import Row
from triples.store.select import NO_INDEX, TEXTS, Select, sql
from triples.store.sessions import Fetch


def fact(fetch: Fetch, dialect: Dialect, id_: int) -> Row | None:
    """The asserted fact with this id."""
    found = fetch(asserted_by_id(dialect), [id_])
    return Row(*found[0]) if found else None


def inferred_fact(fetch: Fetch, dialect: Dialect, shown: VisibleFacts | None, key: Key) -> InferredRow | None:
    """The inferred fact of these terms."""
    if shown is None or shown.filter is None:
        return None
    found = fetch(inferred_by_key(dialect, shown.filter), key)
    for weight, depth, rule, *texts in found:
        return InferredRow(key, shown.state.written_ms, weight, depth, shown.state.program.rules[rule].name, *texts)
    return None


def asserted_by_id(dialect: Dialect) -> str:
    """ASSERTED and TEXTS of one fact. Parameter: its id."""
    return sql(Select("asserted", (*ASSERTED, *TEXTS), others_given=("id",), by_index=NO_INDEX), dialect)


def inferred_by_key(dialect: Dialect, inferred: InferredFilter) -> str:
    """Weight, depth, rule and TEXTS of one fact. Parameters: its key."""
    columns = ("weight", "depth", "rule", *TEXTS)
    return sql(Select("inferred", columns, EXACT, given="ids", filter=inferred), dialect)


def asserted_by_keys(dialect: Dialect) -> str:
    """Key, ASSERTED and TEXTS of the facts of these keys. Parameter: one of `key_batches.batches`."""
    return sql(Select("asserted", (*KEY, *ASSERTED, *TEXTS), EXACT, given="keys"), dialect)


def inferred_by_keys(dialect: Dialect) -> str:
    """Key, PROOF and TEXTS of the facts of these keys, visible or not. Parameter: a batch of `keys`."""
    return sql(Select("inferred", (*KEY, *PROOF, *TEXTS), EXACT, given="keys"), dialect)


def texts_by_ids(dialect: Dialect) -> str:
    """Ids and texts of terms. Parameter: a batch of `keys` of one place."""
    given = f"{dialect.keys_table} {dialect.join}"
    return f"SELECT t.id, t.text FROM {given} triples_term AS t ON t.id = {dialect.key_column(0)}"
