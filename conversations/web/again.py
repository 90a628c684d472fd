"""A conversation asked again: the form that starts a rerun, and its turns beside the recorded ones."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from conversations import rerun
from conversations.errors import Refused
from conversations.models import Conversation, Model
from conversations.protocol.text import clean_text, visible
from conversations.rerun import Pair

from . import compared, measures
from .access import SignedIn, own_or_404

TOOLS = {"recorded": "from the recording", "live": "run again, for real"}
MISSES = {"stop": "ends it", "error": "is answered with an error", "live": "is run, for real"}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: SignedIn, pk: UUID) -> HttpResponse:
    """The form of a rerun; on POST begins one and leads to its page, 400 for a choice not on offer."""
    conversation = own_or_404(request, pk)
    if request.method != "POST":
        return _form(request, conversation)
    try:
        new = rerun.rerun(conversation, _options(request, conversation))
    except Refused as refused:
        return _form(request, conversation, problem=str(refused), status=400)
    rerun.run_in_background(new)
    return redirect("conversations:conversation", pk=new.conversation.pk)


def _options(request: SignedIn, conversation: Conversation) -> rerun.Options:
    """The form's choices; raises Refused for one that is not offered."""
    model, tools, miss = (request.POST.get(name, "") for name in ("model", "tools", "miss"))
    if (model and not Model.is_offered(model)) or tools not in TOOLS or miss not in MISSES:
        raise Refused("This is not offered. Choose one of the list.")
    system = clean_text(request.POST.get("system", "")).replace("\r\n", "\n")
    return rerun.Options(
        model=model or None,
        system=None if system == conversation.system else system,
        tools="live" if tools == "live" else "recorded",
        miss="live" if miss == "live" else "error" if miss == "error" else "stop",
    )


def _form(
    request: SignedIn, conversation: Conversation, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "conversation": conversation,
        "heading": visible(conversation.title),
        "models": Model.offered(),
        "tools": TOOLS,
        "misses": MISSES,
        "form": {"system": conversation.system} | request.POST.dict(),
        "problem": problem,
    }
    return render(request, "conversations/again.html", context, status=status)


@never_cache
@require_safe
def compare(request: SignedIn, pk: UUID) -> HttpResponse:
    """A rerun's turns beside the recorded ones; 404 unless it is a rerun of the user's own conversation."""
    conversation = own_or_404(request, pk)
    if conversation.rerun_of is None or conversation.rerun_of.owner_id != request.user.pk:
        raise Http404
    pairs, unasked = rerun.comparison(conversation)
    page = _Compared(pairs)
    context = {
        "conversation": conversation,
        "heading": visible(conversation.title),
        "turns": [page.turn(pair) for pair in pairs],
        "totals": page.totals() if pairs else [],
        "unasked": unasked,
    }
    return render(request, "conversations/compare.html", context)


class _Compared:
    """The turns of a comparison as the page shows them; their calls and prices are read at once."""

    def __init__(self, pairs: list[Pair]) -> None:
        turns = [turn for pair in pairs for turn in (pair.question.turn, pair.turn) if turn]
        self._calls, self._prices = compared.calls(turns), measures.Prices(turns)
        self._pairs = pairs

    def totals(self) -> list[measures.Row]:
        """What all turns took."""
        sides = zip(*map(self._measures, self._pairs), strict=True)
        return measures.table(*(measures.total(side) for side in sides))

    def turn(self, pair: Pair) -> dict[str, Any]:
        """A turn beside the recorded one."""
        question, again = pair.question, pair.again
        sides = [self._calls[turn.pk] if turn else [] for turn in (question.turn, pair.turn)]
        return {
            "number": question.number,
            "message": visible(question.text),
            "models": (question.model, pair.turn.model),
            "differs": [name.replace("_", " ") for name in pair.differs],
            "stretches": compared.stretches(question.answer.text, again.text),
            "calls": list(compared.call_pairs(*sides)),
            "missed": list(compared.missed(pair)),
            "ends": compared.ends(question.answer, again),
            "figures": measures.table(*self._measures(pair)),
        }

    def _measures(self, pair: Pair) -> tuple[measures.Measures, measures.Measures]:
        """What the recorded turn took, and what the new one took."""
        turn = pair.question.turn
        recorded = self._prices.measures(turn, pair.question.answer.total_ms) if turn else {}
        return recorded, self._prices.measures(pair.turn, pair.again.total_ms)
