"""Terms may have 10,000 characters: a wider check, and on PostgreSQL an index of keys, which such terms fit into.

Both take seconds in a graph of ten million terms, and others can read and write meanwhile.
"""

import django.db.models.functions.text
import django.db.models.lookups
from django.apps.registry import Apps
from django.db import connection, migrations, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import triples.term_keys
from skg_site.host.write_lock import write_lock
from triples.term_keys import POSTGRESQL_KEY

TABLE = 'triples_term'
MANY = 10_000
CHECK = 'CHECK (length(text) BETWEEN 1 AND {})'
# Until the last statement, the former index keeps texts apart as well.
POSTGRESQL_STATEMENTS = [
    # One that was begun and not completed.
    'DROP INDEX CONCURRENTLY IF EXISTS term_key',
    f'CREATE UNIQUE INDEX CONCURRENTLY term_key ON {TABLE} (({POSTGRESQL_KEY.format("text")}))',
    f'ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS term_text_length',
    # As the former one held, so does this one; new rows are checked at once.
    f'ALTER TABLE {TABLE} ADD CONSTRAINT term_text_length {CHECK.format(10_000)} NOT VALID',
    f'ALTER TABLE {TABLE} VALIDATE CONSTRAINT term_text_length',
    f'ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS term_text',
]
BACK = [
    f'ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS term_text',
    f'ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS term_text_length',
    f'ALTER TABLE {TABLE} ADD CONSTRAINT term_text_length {CHECK.format(500)}',
    f'ALTER TABLE {TABLE} ADD CONSTRAINT term_text UNIQUE (text)',
    'DROP INDEX IF EXISTS term_key',
]


def lengthen(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == 'sqlite':
        change_check(500, 10_000)
        return
    for statement in POSTGRESQL_STATEMENTS:
        schema_editor.execute(statement)
    # The planner has to know what the keys of many are like. Of a table that it knows to be small it reads all, and plans
    # that are made meanwhile are kept until the server finds out that it has grown.
    if apps.get_model('triples', 'Term').objects.count() > MANY:
        schema_editor.execute(f'ANALYZE {TABLE}')


def shorten(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fails where a term is longer."""
    if apps.get_model('triples', 'Term').objects.annotate(
        length=django.db.models.functions.text.Length('text')
    ).filter(length__gt=500).exists():
        raise RuntimeError('There are terms of more than 500 characters. Delete their facts, and run manage.py vacuum.')
    if schema_editor.connection.vendor == 'sqlite':
        change_check(10_000, 500)
        return
    for statement in BACK:
        schema_editor.execute(statement)


def change_check(before: int, after: int) -> None:
    """Change the check on SQLite where it is written, as SQLite's documentation has it: no row is read or copied."""
    with write_lock(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute('SELECT sql FROM sqlite_master WHERE name = %s', [TABLE])
        written = cursor.fetchone()[0]
        if f'<= {after})' in written:
            return
        if written.count(f'<= {before})') != 1:
            raise RuntimeError(f'The table of terms is not as it was made: {written}')
        cursor.execute('PRAGMA schema_version')
        version = cursor.fetchone()[0]
        cursor.execute('PRAGMA writable_schema = ON')
        try:
            statement = 'UPDATE sqlite_master SET sql = replace(sql, %s, %s) WHERE name = %s'
            cursor.execute(statement, [f'<= {before})', f'<= {after})', TABLE])
            # Every connection reads the schema again.
            cursor.execute(f'PRAGMA schema_version = {version + 1}')
        finally:
            cursor.execute('PRAGMA writable_schema = OFF')


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('triples', '0008_imports'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(lengthen, shorten)],
            state_operations=[
                migrations.RemoveConstraint(model_name='term', name='term_text'),
                migrations.RemoveConstraint(model_name='term', name='term_text_length'),
                migrations.AddConstraint(
                    model_name='term',
                    constraint=models.UniqueConstraint(triples.term_keys.TermKey('text'), name='term_key'),
                ),
                migrations.AddConstraint(
                    model_name='term',
                    constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.GreaterThanOrEqual(django.db.models.functions.text.Length('text'), 1), django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length('text'), 10000)), name='term_text_length'),
                ),
            ],
        ),
    ]
