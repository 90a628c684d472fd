"""A copy of a conversation, made by an export and an import."""

from django.db import transaction
from django.utils import timezone

from conversations.models import TOKENS, Conversation, Round

from .importing import import_document
from .whole import document, json_text


def copy_for(conversation: Conversation, model: str) -> Conversation:
    """Copies a conversation without open turns for its owner, who goes on in the copy with another model.

    The copy's turns count no tokens, as they were paid for in the original, and are older than the copy itself.
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
