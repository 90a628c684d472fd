"""The deletion of a conversation, which asks first and never happens while a turn is under way."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conversations.models import Conversation, Turn, retention
from conversations.protocol.text import visible

from .access import SignedIn, own_or_404


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedIn, pk: UUID) -> HttpResponse:
    """A question that says what goes; deletes on POST, 409 while a turn runs, waits or is queued."""
    conversation = own_or_404(request, pk)
    if request.method != "POST":
        return _question(request, conversation)
    if retention.delete(conversation.pk):
        return redirect("conversations:index")
    return _question(request, conversation, status=409)


def _question(request: SignedIn, conversation: Conversation, status: int = 200) -> HttpResponse:
    context = {
        "conversation": conversation,
        "heading": visible(conversation.title),
        "messages": conversation.messages.count(),
        "tool_calls": conversation.tool_calls.count(),
        "is_under_way": conversation.turns.filter(status__in=Turn.OPEN).exists(),
    }
    return render(request, "conversations/delete.html", context, status=status)
