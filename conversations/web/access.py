"""Who may see which conversation: decided here for every page."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from conversations.models import Conversation

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class SignedIn(HttpRequest):
    """A request as LoginRequiredMiddleware lets it through."""

    user: "User"


def own_or_404(request: SignedIn, pk: UUID) -> Conversation:
    """The user's own conversation; Http404 if it is none."""
    return get_object_or_404(Conversation.objects.owned_by(request.user), pk=pk)


def seen_or_404(request: SignedIn, pk: UUID) -> Conversation:
    """A conversation that the user may watch, since it is their own or the admin shows it to them; Http404 if they may not."""
    found = get_object_or_404(Conversation, pk=pk)
    if not found.is_watched_by(request.user):
        raise Http404
    return found
