from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def count_facts(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Count what is there; nobody writes meanwhile."""
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute('LOCK TABLE triples_triple IN SHARE MODE')
    schema_editor.execute(
        'INSERT INTO triples_predicatetally (predicate_id, shard, facts)'
        ' SELECT predicate_id, 0, count(*) FROM triples_triple GROUP BY predicate_id'
    )


class Migration(migrations.Migration):

    dependencies = [
        ('triples', '0004_hidden'),
    ]

    operations = [
        migrations.CreateModel(
            name='PredicateTally',
            fields=[
                ('pk', models.CompositePrimaryKey('predicate_id', 'shard', blank=True, editable=False, primary_key=True, serialize=False)),
                ('predicate_id', models.BigIntegerField()),
                ('shard', models.SmallIntegerField()),
                ('facts', models.BigIntegerField()),
            ],
            options={
                'verbose_name_plural': 'predicate tallies',
            },
        ),
        migrations.RunPython(count_facts, migrations.RunPython.noop),
    ]
