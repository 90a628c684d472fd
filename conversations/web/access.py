"""Who may see which conversation, for every page."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from conversations.models import Conversation

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class SignedIn(HttpRequest):
    """A request of a signed-in user."""

    user: "User"


def as_uuid(text: str) -> UUID | None:
    """The id that a parameter holds, None for any other text."""
    try:
        return UUID(text)
    except ValueError:
        return None


def own_or_404(request: SignedIn, pk: UUID) -> Conversation:
    """The user's own conversation with this id; Http404 where there is none."""
    return get_object_or_404(Conversation.objects.owned_by(request.user), pk=pk)


def watched_or_404(request: SignedIn, pk: UUID) -> Conversation:
    """The conversation with this id; Http404 unless the user may watch it, as its owner or in the admin."""
    conversation = get_object_or_404(Conversation, pk=pk)
    if not conversation.is_watchable_by(request.user):
        raise Http404
    return conversation
