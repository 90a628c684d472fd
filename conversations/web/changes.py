"""A person's actions with one or several listed conversations, sent by a script or a plain form."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations import engine
from conversations.models import Conversation, Turn
from conversations.protocol.text import beginning, clean_text, visible

from .access import SignedIn, own_or_404
from .exporting import as_zip

TITLE_LENGTH = 200
DELETED = "deleted"
"""The session's key of what the last form deleted; the next page offers to undo that."""

CHANGES: dict[str, Callable[[Sequence[UUID]], None]] = {
    "pin": engine.pin,
    "unpin": partial(engine.pin, on=False),
    "archive": engine.archive,
    "unarchive": partial(engine.archive, on=False),
    "delete": engine.delete,
    "restore": engine.restore,
}


@require_POST
def change(request: SignedIn) -> HttpResponseBase:
    """Does an action with the conversations of a form; 404 unless all of them are the user's own.

    A script gets JSON, a form the list again, or the conversation's page if it was sent from `here`.
    """
    action, is_restoring = request.POST.get("action", ""), request.POST.get("action") == "restore"
    ids = _own(request, with_deleted=is_restoring)
    if action == "rename":
        return _rename(request, ids)
    if action == "export" and ids:
        return as_zip(Conversation.objects.filter(pk__in=ids))
    if action not in {*CHANGES, "export"}:
        return HttpResponseBadRequest("There is no such action.", content_type="text/plain")
    if ids:
        CHANGES[action](ids)
    return _answer(request, ids, is_deletion=action == "delete")


def _rename(request: SignedIn, ids: list[UUID]) -> HttpResponse:
    title = as_title(request.POST.get("title", ""))
    if len(ids) != 1 or not title:
        return HttpResponseBadRequest("A title has at least one letter.", content_type="text/plain")
    engine.rename(ids[0], title)
    return _answer(request, ids, title=visible(title))


def as_title(text: str) -> str:
    """A person's title as it is stored: one line, as long as the column takes, blank if invisible."""
    line = " ".join(clean_text(text).split())
    is_visible = any(letter.isprintable() and letter != " " for letter in line)
    return beginning(line, TITLE_LENGTH) if is_visible else ""


def _own(request: SignedIn, *, with_deleted: bool) -> list[UUID]:
    """The ids in a form, in order; Http404 unless all are conversations of the user's own."""
    try:
        ids = list(dict.fromkeys(map(UUID, request.POST.getlist("ids"))))
    except ValueError:
        raise Http404 from None
    rows = Conversation.with_deleted if with_deleted else Conversation.objects
    if rows.filter(owner=request.user, pk__in=ids).count() < len(ids):
        raise Http404
    return ids


def _answer(request: SignedIn, ids: list[UUID], *, is_deletion: bool = False, **members: Any) -> HttpResponse:
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"ids": ids, **members})
    if is_deletion:
        return to_list_with_undo(request, ids)
    if "here" in request.POST and ids:
        return redirect("conversations:conversation", pk=ids[0])
    archived = "?archived" if "archived" in request.POST else ""
    return redirect(f"{resolve_url('conversations:index')}{archived}#all")


def to_list_with_undo(request: HttpRequest, ids: Sequence[UUID]) -> HttpResponse:
    """Leads to the list, which offers to undo the deletion."""
    request.session[DELETED] = [str(pk) for pk in ids]
    return redirect("conversations:index")


def just_deleted(request: HttpRequest) -> list[Conversation]:
    """The conversations that the form before this page deleted, once; none for a script's list."""
    if "X-Requested-With" in request.headers:
        return []
    ids = request.session.pop(DELETED, [])
    rows = Conversation.with_deleted.filter(owner=request.user.pk, deleted_at__isnull=False)
    return list(rows.filter(pk__in=ids).only("title")) if ids else []


# -- a deletion that asks first


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedIn, pk: UUID) -> HttpResponse:
    """Asks before a deletion; on POST deletes the conversation and stops its running turn."""
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
