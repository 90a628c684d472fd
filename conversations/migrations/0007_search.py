from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import conversations.models.passage
from conversations.migrations import _index


def drop_old_index(apps: Any, schema_editor: Any) -> None:
    """Drops the index of tool calls that there was before."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL statement_timeout = 0", params=None)
    for statement in _index.OLD[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def create_index(apps: Any, schema_editor: Any) -> None:
    """Creates the index's table on SQLite and the triggers on PostgreSQL, which index what is written."""
    for statement in _index.MADE[schema_editor.connection.vendor][0]:
        schema_editor.execute(statement, params=None)


def drop_index(apps: Any, schema_editor: Any) -> None:
    for statement in _index.MADE[schema_editor.connection.vendor][1]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0006_queued_turns_without_a_place'),
    ]

    operations = [
        migrations.RunPython(drop_old_index, migrations.RunPython.noop),
        migrations.CreateModel(
            name='Passage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('words', conversations.models.passage.WordIndex()),
                ('call', models.OneToOneField(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.toolcall')),
                ('conversation', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.conversation')),
                ('message', models.OneToOneField(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.message')),
            ],
        ),
        migrations.AddConstraint(
            model_name='passage',
            constraint=models.UniqueConstraint(condition=models.Q(('call', None), ('message', None)), fields=('conversation',), name='one_passage_a_title'),
        ),
        migrations.AddField(
            model_name='conversation',
            name='words',
            field=conversations.models.passage.Words(default=None, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='message',
            name='words',
            field=conversations.models.passage.Words(default=None, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='toolcall',
            name='words',
            field=conversations.models.passage.Words(default=None, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name='toolcall',
            index=models.Index(fields=['tool_use_id'], name='tool_call_use'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['created_at'], name='message_time'),
        ),
        migrations.RunPython(create_index, drop_index),
    ]
