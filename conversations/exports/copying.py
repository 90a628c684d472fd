"""A copy of a conversation, as an export of it would be taken back."""

from django.db import transaction
from django.utils import timezone

from conversations.models import TOKENS, Conversation, Round

from .importing import import_document
from .whole import document, json_text


def copied(conversation: Conversation, model: str) -> Conversation:
    """A copy of a conversation without open turns, whose owner goes on in it with another model.

    Its tokens were paid for once, and count for the conversation that they were paid in. Its turns are older than itself.
    """
    nothing, files = dict.fromkeys(TOKENS, 0), conversation.attachments.in_bulk()
    text = "".join(json_text(document(conversation, beside=True)))
    with transaction.atomic():
        copy = import_document(text, conversation.owner, lambda part: files[part.id].open())
        copy.model, copy.has_own_title, copy.created_at = model, conversation.has_own_title, timezone.now()
        copy.save(update_fields=["model", "has_own_title", "created_at"])
        copy.turns.update(**nothing)
        Round.objects.filter(turn__conversation=copy).update(**nothing)
    return copy
