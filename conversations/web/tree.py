"""All branches of a conversation, and a form that shows another one."""

from collections.abc import Iterator
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conversations import engine
from conversations.errors import Refused
from conversations.models import Conversation, Tree, Turn
from conversations.protocol.text import visible

from .access import SignedIn, as_uuid, own_or_404
from .branches import Stem, branches
from .excerpts import Excerpt, changes, excerpts, first_line

STATES = {
    Turn.Status.RUNNING.value: "Running",
    Turn.Status.WAITING.value: "Waiting for approval",
    Turn.Status.FAILED.value: "Failed",
}
"""The statuses that lists have other words for."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tree(request: SignedIn, pk: UUID) -> HttpResponse:
    """The tree of the user's own conversation; on POST shows `turn`'s branch, 409 while a turn is open."""
    conversation = own_or_404(request, pk)
    if request.method != "POST":
        return _page(request, conversation)
    turn = get_object_or_404(conversation.turns, pk=as_uuid(request.POST.get("turn", "")))
    try:
        engine.show_branch(conversation, turn.pk)
    except Refused as refused:
        return _page(request, conversation, problem=str(refused), status=409)
    return redirect("conversations:conversation", pk=pk)


def _page(
    request: SignedIn, conversation: Conversation, problem: str = "", status: int = 200
) -> HttpResponse:
    turns = Tree.of(conversation.pk)
    context = {
        "conversation": conversation,
        "replay": reverse("conversations:replay", args=[conversation.pk]),
        "heading": visible(conversation.title),
        "branch": branches(_stems(conversation, turns), _line(turns)),
        "problem": problem,
    }
    return render(request, "conversations/tree.html", context, status=status)


def _line(turns: Tree) -> set[UUID]:
    """The turns of the shown branch, and those that are queued behind it."""
    return {turn for end in turns.active_line()[-1:] for turn in turns.line(turns.end(end))}


def _stems(conversation: Conversation, turns: Tree) -> Iterator[Stem]:
    texts = excerpts(conversation)
    rows = conversation.turns.order_by("number")
    first: dict[UUID | None, tuple[int, str]] = {}
    for pk, number, status, model, created in rows.values_list(
        "pk", "number", "status", "model", "created_at"
    ):
        if pk not in turns.nodes:
            continue
        parent, text = turns.nodes[pk].parent, texts.get(pk, Excerpt())
        origin, words = first.setdefault(parent, (number, text.question))
        yield Stem(
            pk, parent, number, STATES.get(status, status), model, created, first_line(text.question), text.answer,
            version_of=origin if origin != number else 0,
            changes=changes(words, text.question),
        )  # fmt: skip
