"""The index of subjects and predicates begins with the predicate, so that joins find the subjects of a predicate in order.

On PostgreSQL, others read and write meanwhile. On SQLite, it takes four to eight seconds for each million facts, in which
nobody writes; a worker of the version before asks for the former index by name, and has to be restarted.
"""

from django.apps.registry import Apps
from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import triples.models
from skg_site.cli.progress import ProgressBar
from skg_site.host.write_lock import write_lock

TABLE, FORMER, INDEX = 'triples_triple', 'triple_sp', 'triple_ps'
COLUMNS = {FORMER: 'subject_id, predicate_id', INDEX: 'predicate_id, subject_id'}
# Fewer take a moment.
WORTH_SAYING = 100_000


def make(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    replace(apps, schema_editor, FORMER, INDEX)


def take_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    replace(apps, schema_editor, INDEX, FORMER)


def replace(apps: Apps, schema_editor: BaseDatabaseSchemaEditor, former: str, index: str) -> None:
    if schema_editor.connection.vendor == 'postgresql':
        # One that was begun and not completed.
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {index}')
        schema_editor.execute(f'CREATE INDEX CONCURRENTLY {index} ON {TABLE} ({COLUMNS[index]}, weight DESC, id)')
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {former}')
        return
    facts = apps.get_model('triples', 'Tally').objects.values_list('triples', flat=True)
    with ProgressBar() as bar, write_lock(), transaction.atomic():
        if (total := sum(facts)) > WORTH_SAYING:
            bar.say(f'{total:,} facts are being indexed by predicate and subject …')
        # In this order the new one takes the place of the former in the file.
        schema_editor.execute(f'DROP INDEX IF EXISTS {former}')
        schema_editor.execute(
            f'CREATE INDEX IF NOT EXISTS "{index}" ON "{TABLE}" ({quoted(COLUMNS[index])}, "weight" DESC)'
        )


def quoted(columns: str) -> str:
    return ', '.join(f'"{column}"' for column in columns.split(', '))


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('triples', '0012_term_search_blocks'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(make, take_back)],
            state_operations=[
                migrations.RemoveIndex(model_name='triple', name=FORMER),
                migrations.AddIndex(
                    model_name='triple',
                    index=triples.models.HeaviestFirst(fields=['predicate', 'subject', '-weight'], name=INDEX),
                ),
            ],
        ),
    ]
