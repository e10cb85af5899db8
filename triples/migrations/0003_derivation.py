from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# What `triples.store.sqlite.generation_record` reads and writes. PostgreSQL keeps facts and inferred facts together, so
# that neither can be exchanged without the other.
DERIVATIONS = 'CREATE TABLE triples_derivation (generation INTEGER NOT NULL PRIMARY KEY)'


def make_derivations(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == 'sqlite':
        schema_editor.execute(DERIVATIONS)


def drop_derivations(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == 'sqlite':
        schema_editor.execute('DROP TABLE triples_derivation')


class Migration(migrations.Migration):

    dependencies = [
        ('triples', '0002_recursion'),
    ]

    operations = [
        migrations.RunPython(make_derivations, drop_derivations),
    ]
