from collections import deque
from typing import Any

from django.db import migrations

from conversations.migrations import _index
from conversations.models import reindexing


def index(apps: Any, schema_editor: Any) -> None:
    """Indexes what there is, a few rows a transaction: whoever writes meanwhile waits for these alone."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    triggers = _index.PASSAGE_TRIGGERS if is_sqlite else {}
    for name, body in triggers.items():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}", params=None)
        schema_editor.execute(f"CREATE TRIGGER {name} {body}", params=None)
    deque(reindexing.reindex(apps), maxlen=0)
    for name in triggers:
        schema_editor.execute(f"DROP TRIGGER {name}", params=None)
    for statement in () if is_sqlite else _index.POSTGRES_INDEX:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    """Not atomic: after an interruption it begins again."""

    atomic = False

    dependencies = [
        ('conversations', '0007_search'),
    ]

    operations = [
        migrations.RunPython(index, migrations.RunPython.noop),
    ]
