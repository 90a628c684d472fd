"""The deletion of a conversation, which asks first."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conversations import engine
from conversations.models import Conversation, Turn
from conversations.protocol.text import visible

from .access import SignedIn, own_or_404
from .changes import to_list_with_undo


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedIn, pk: UUID) -> HttpResponse:
    """A question that says what goes; deletes on POST, and stops the turn that is under way."""
    conversation = own_or_404(request, pk)
    if request.method != "POST":
        return _question(request, conversation)
    engine.delete([conversation.pk])
    return to_list_with_undo(request, [conversation.pk])


def _question(request: SignedIn, conversation: Conversation) -> HttpResponse:
    context = {
        "conversation": conversation,
        "heading": visible(conversation.title),
        "messages": conversation.messages.count(),
        "tool_calls": conversation.tool_calls.count(),
        "is_under_way": conversation.turns.filter(status__in=Turn.OPEN).exists(),
    }
    return render(request, "conversations/delete.html", context)
