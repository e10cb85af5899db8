"""On PostgreSQL, a trigger for each statement looks up the terms of new facts, in place of three foreign keys.

A foreign key looks up one term of one row at a time, which was a quarter of the server's time for a batch. These triggers
hold the same: a fact has terms that stand, and no term goes while a fact has it. They lock the terms as foreign keys do,
and raise the same error. No row is read here; the tables are locked for a moment.
"""

from time import sleep

from django.apps.registry import Apps
from django.db import OperationalError, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TERMS, FACTS = 'triples_term', 'triples_triple'
PLACES = ('subject_id', 'predicate_id', 'object_id')
FUNCTIONS = ('triples_terms_stand', 'triples_changed_terms_stand', 'triples_no_fact_left', 'triples_no_facts_left')

# The term is locked until the transaction ends: who deletes it waits, or has deleted it before it is looked up. Whoever
# asks for other terms, and changes them but for their ids, is not in the way.
LOOK_UP = """
    PERFORM 1 FROM {schema}.triples_term WHERE id = ANY(wanted) ORDER BY id FOR KEY SHARE;
    GET DIAGNOSTICS standing = ROW_COUNT;
    IF standing < cardinality(wanted) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a fact has a term that is not there',
            TABLE = 'triples_triple', SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
"""
STATEMENTS = (
    # Nobody writes from here on until the commit, so that what the foreign keys held is held throughout. All readers wait
    # behind a lock that waits for one, so it is not waited for long.
    "SET LOCAL lock_timeout = '1s'",
    'LOCK TABLE triples_triple, triples_term IN ACCESS EXCLUSIVE MODE',
    """CREATE FUNCTION triples_terms_stand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint[] := ARRAY(
        SELECT subject_id FROM new_facts UNION SELECT predicate_id FROM new_facts UNION SELECT object_id FROM new_facts);
    standing bigint;
BEGIN""" + LOOK_UP + 'END $$',
    """CREATE FUNCTION triples_changed_terms_stand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint[] := ARRAY(SELECT NEW.subject_id UNION SELECT NEW.predicate_id UNION SELECT NEW.object_id);
    standing bigint;
BEGIN""" + LOOK_UP + 'END $$',
    # At the commit, since a transaction may delete terms before their facts. It must see what others have committed by
    # then, which a snapshot that was taken before does not show.
    """CREATE FUNCTION triples_no_fact_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE feature_not_supported USING MESSAGE = 'terms are deleted at the isolation level READ COMMITTED only';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM {schema}.triples_term WHERE id = OLD.id)
        AND (EXISTS (SELECT 1 FROM {schema}.triples_triple WHERE subject_id = OLD.id)
            OR EXISTS (SELECT 1 FROM {schema}.triples_triple WHERE predicate_id = OLD.id)
            OR EXISTS (SELECT 1 FROM {schema}.triples_triple WHERE object_id = OLD.id)) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a fact has a term that is to be deleted',
            TABLE = 'triples_triple', SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
END $$""",
    """CREATE FUNCTION triples_no_facts_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM {schema}.triples_triple) THEN
        RAISE foreign_key_violation USING MESSAGE = 'facts have terms that are to be deleted',
            TABLE = 'triples_triple', SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
END $$""",
    'CREATE TRIGGER terms_stand AFTER INSERT ON triples_triple REFERENCING NEW TABLE AS new_facts'
    ' FOR EACH STATEMENT EXECUTE FUNCTION triples_terms_stand()',
    'CREATE TRIGGER changed_terms_stand AFTER UPDATE ON triples_triple FOR EACH ROW WHEN (OLD.subject_id <>'
    ' NEW.subject_id OR OLD.predicate_id <> NEW.predicate_id OR OLD.object_id <> NEW.object_id)'
    ' EXECUTE FUNCTION triples_changed_terms_stand()',
    'CREATE CONSTRAINT TRIGGER no_fact_left AFTER DELETE OR UPDATE OF id ON triples_term DEFERRABLE INITIALLY DEFERRED'
    ' FOR EACH ROW EXECUTE FUNCTION triples_no_fact_left()',
    'CREATE TRIGGER no_facts_left AFTER TRUNCATE ON triples_term'
    ' FOR EACH STATEMENT EXECUTE FUNCTION triples_no_facts_left()',
)
# Their names are Django's, with a sum.
FOREIGN_KEYS = (
    "SELECT quote_ident(conname) FROM pg_constraint WHERE conrelid = 'triples_triple'::regclass AND contype = 'f'"
)


ATTEMPTS, PAUSE_SECONDS = 60, 2


def replace_keys(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != 'postgresql':
        return
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return replace(schema_editor)
        except OperationalError:
            # Somebody reads or writes all the time, or took the locks in another order.
            if attempt == ATTEMPTS:
                raise
            sleep(PAUSE_SECONDS)


def replace(schema_editor: BaseDatabaseSchemaEditor) -> None:
    with transaction.atomic(), schema_editor.connection.cursor() as cursor:
        # Whatever the search path is of whoever writes: a restored dump has none.
        cursor.execute('SELECT quote_ident(current_schema())')
        [schema] = cursor.fetchone()
        for statement in STATEMENTS:
            cursor.execute(statement.replace('{schema}', schema))
        cursor.execute(FOREIGN_KEYS)
        for [name] in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {FACTS} DROP CONSTRAINT {name}')


def restore_keys(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != 'postgresql':
        return
    with transaction.atomic():
        for place in PLACES:
            schema_editor.execute(
                f'ALTER TABLE {FACTS} ADD CONSTRAINT {FACTS}_{place}_fk FOREIGN KEY ({place}) REFERENCES {TERMS} (id)'
                ' DEFERRABLE INITIALLY DEFERRED'
            )
        for function in FUNCTIONS:
            schema_editor.execute(f'DROP FUNCTION {function}() CASCADE')


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('triples', '0009_term_length'),
    ]

    operations = [
        migrations.RunPython(replace_keys, restore_keys),
    ]
