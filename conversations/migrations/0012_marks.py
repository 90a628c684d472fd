from typing import Any

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce


def see_all(apps: Any, schema_editor: Any) -> None:
    """Takes what has ended until now as seen."""
    turns = apps.get_model("conversations", "Turn").objects.filter(conversation=OuterRef("pk"))
    ended = turns.exclude(status__in=["queued", "running", "waiting"]).order_by().values("conversation")
    newest = Subquery(ended.annotate(newest=Max("number")).values("newest"))
    apps.get_model("conversations", "Conversation").objects.update(seen=Coalesce(newest, 0), changed_at=F("updated_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0011_cache_points'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='conversation',
            name='changed_at',
            field=models.DateTimeField(default=django.utils.timezone.now, help_text='When anything that a list shows of it has last changed.'),
        ),
        migrations.AddField(
            model_name='conversation',
            name='seen',
            field=models.PositiveIntegerField(default=0, help_text='The number of the newest turn whose end its reader has had in sight.'),
        ),
        migrations.RunPython(see_all, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(fields=['owner', 'changed_at'], name='conversation_changed'),
        ),
    ]
