from typing import Any

from django.db import migrations


def take_places_back(apps: Any, schema_editor: Any) -> None:
    """Takes back the places that queued turns had in the tree, and with them the end of the shown branch.

    They get them when they begin.
    """
    Conversation, Turn = (apps.get_model("conversations", name) for name in ("Conversation", "Turn"))
    for conversation in Conversation.objects.filter(turns__status="queued").distinct():
        turns = Turn.objects.filter(conversation=conversation).order_by("number")
        begun = turns.exclude(status="queued")
        conversation.head = end = begun.last()
        conversation.save(update_fields=["head"])
        for turn in turns.filter(status="queued"):
            if turn.parent != end:  # an earlier message was edited
                turn.beside = begun.filter(parent=turn.parent).last()
            turn.parent, end = None, turn
            turn.save(update_fields=["parent", "beside"])


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0005_beside_and_notices'),
    ]

    operations = [
        migrations.RunPython(take_places_back, migrations.RunPython.noop),
    ]
