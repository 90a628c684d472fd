"""The playback of a conversation: the page and its script's data. It calls neither gateway nor tools."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations import playback
from conversations.journal.recordings import unsqueeze
from conversations.models import Turn
from conversations.protocol.text import visible

from .access import SignedIn, watched_or_404
from .sentences import SENTENCES

COMPACT: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}


@never_cache
@require_safe
def replay(request: SignedIn, pk: UUID) -> HttpResponse:
    """The player; 404 unless the conversation is the user's own or they may see it in the admin."""
    conversation = watched_or_404(request, pk)
    context = {
        "conversation": conversation,
        "model_name": conversation.model_name,
        "heading": visible(conversation.title),
        "sentences": json.dumps(SENTENCES),
        "is_own": conversation.owner_id == request.user.pk,
    }
    return render(request, "conversations/replay.html", context)


@never_cache
@require_safe
def outline(request: SignedIn, pk: UUID) -> HttpResponse:
    """The outline of all turns, as JSON."""
    body = json.dumps(playback.index(watched_or_404(request, pk)), **COMPACT)
    return HttpResponse(body, content_type="application/json")


@never_cache
@require_safe
def turn(request: SignedIn, pk: UUID, turn: UUID) -> HttpResponse:
    """A turn's stored lines, compressed as its row is: HTTP's `deflate` is zlib's format."""
    lines = playback.compressed_lines(
        get_object_or_404(Turn, pk=turn, conversation=watched_or_404(request, pk))
    )
    if "deflate" not in request.headers.get("Accept-Encoding", ""):
        return HttpResponse(unsqueeze(lines), content_type="text/plain; charset=utf-8")
    headers = {"Content-Encoding": "deflate", "Vary": "Accept-Encoding"}
    return HttpResponse(lines, content_type="text/plain; charset=utf-8", headers=headers)


@never_cache
@require_safe
def ends(request: SignedIn, pk: UUID) -> HttpResponse:
    """The state at the end of each turn from the seq `?first=` to `?last=`, as JSON; 400 without both."""
    conversation = watched_or_404(request, pk)
    bounds = [request.GET.get(name, "") for name in ("first", "last")]
    if not all(number.isascii() and number.isdigit() and len(number) < 16 for number in bounds):
        return HttpResponseBadRequest(
            "first and last are numbers of events", content_type="text/plain; charset=utf-8"
        )
    body = playback.ends(conversation, int(bounds[0]), int(bounds[1]))
    return HttpResponse(body, content_type="application/json")
