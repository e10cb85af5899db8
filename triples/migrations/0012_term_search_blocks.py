"""On PostgreSQL, terms that are made together share a row of the index that terms are searched by.

That is a fifth of the server's time for a batch of new terms. No row is read or changed here. Rows of one term stay as
they are; a worker of the version before, while it still runs, finds no new terms by a part of their names.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = 'triples_term_search'
ADD = f'ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS ends INTEGER[]'
# Each term has a row of its own again.
TAKE_APART = (
    f'WITH gone AS (DELETE FROM {TABLE} WHERE ends IS NOT NULL RETURNING term_id, trigrams, ends)'
    f' INSERT INTO {TABLE} (term_id, trigrams)'
    ' SELECT term_id + place - 1, trigrams[coalesce(ends[place - 1], 0) + 1 : ends[place]]'
    ' FROM gone CROSS JOIN generate_series(1, cardinality(ends)) AS place'
)
DROP = f'ALTER TABLE {TABLE} DROP COLUMN ends'


def add_blocks(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(ADD)


def take_apart(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute(TAKE_APART)
        schema_editor.execute(DROP)


class Migration(migrations.Migration):

    dependencies = [
        ('triples', '0011_term_search_list'),
    ]

    operations = [
        migrations.RunPython(add_blocks, take_apart),
    ]
