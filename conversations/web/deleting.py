"""The end of a conversation: asked for first, and never while a turn of it is under way."""

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
    """Asks, saying what goes, and deletes on POST; 409 while a turn runs, waits or is queued."""
    found = own_or_404(request, pk)
    if request.method != "POST":
        return _ask(request, found)
    if retention.delete(found.pk):
        return redirect("conversations:index")
    return _ask(request, found, status=409)


def _ask(request: SignedIn, conversation: Conversation, status: int = 200) -> HttpResponse:
    context = {
        "conversation": conversation,
        "heading": visible(conversation.title),
        "messages": conversation.messages.count(),
        "tool_calls": conversation.tool_calls.count(),
        "is_under_way": conversation.turns.filter(status__in=Turn.OPEN).exists(),
    }
    return render(request, "conversations/delete.html", context, status=status)
