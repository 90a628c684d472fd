"""One question to two models, whose answers stand beside each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from csp.decorators import csp_update
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations import attachments, engine, exports
from conversations.errors import Refused
from conversations.models import MODEL_SETTINGS, Attachment, Conversation, Model, Turn
from conversations.protocol.text import clean_text, visible

from .access import SignedIn, own_or_404

if TYPE_CHECKING:
    from django.contrib.auth.models import User

UNDER_WAY = "Not while a turn is under way. Ask again when it has ended."
LOST = "A file is lost. Attach it again."


@require_POST
def ask_two(request: SignedIn, pk: UUID) -> HttpResponse:
    """Asks the conversation's model, and `second` in a copy; 400 with a reason if that is refused."""
    conversation = own_or_404(request, pk)
    text = clean_text(request.POST.get("message", "")).replace("\r\n", "\n")
    try:
        twin = _begin_twin(
            conversation, request.POST.get("second", ""), text, request.POST.getlist("attachments")
        )
    except Refused as refused:
        engine.keep_draft(conversation, text)
        context = {"conversation": conversation, "problem": str(refused), "text": text}
        return render(request, "conversations/not_asked.html", context, status=400)
    return redirect("conversations:beside", pk=pk, other=twin.pk)


def _begin_twin(conversation: Conversation, model: str, text: str, ids: list[str]) -> Conversation:
    """Asks in the conversation and in a copy, which it returns; raises Refused if neither is asked."""
    if not Model.is_offered(model):
        raise Refused(engine.settings.NOT_OFFERED)
    if conversation.turns.filter(status__in=Turn.OPEN).exists():
        raise Refused(UNDER_WAY)
    files = engine.check_files(conversation, ids, model)
    twin = exports.copy_for(conversation, model)
    try:
        copies = [attachments.copy_to(file, twin) for file in files]
        engine.start(conversation.pk, str(uuid4()), text, files=ids)
    except (Refused, FileNotFoundError) as problem:
        twin.delete()
        raise problem if isinstance(problem, Refused) else Refused(LOST) from None
    ask_too(twin, text, copies)
    return twin


def ask_too(twin: Conversation, text: str, files: Sequence[Attachment] = ()) -> None:
    """Asks the second model. If the user's limits refuse that, the question becomes the copy's draft."""
    try:
        engine.start(twin.pk, str(uuid4()), text, files=[str(file.pk) for file in files])
    except Refused:
        engine.keep_draft(twin, text)


def second_of(owner: "User", first: Conversation, model: str, text: str) -> Conversation | None:
    """Begins a twin of a new conversation, with another model; None if that is not offered."""
    if not Model.is_offered(model) or not text.strip():
        return None
    own = {name: getattr(first, name) for name in ("title", "has_own_title", *MODEL_SETTINGS)}
    twin = Conversation.objects.create(owner=owner, **own | {"model": model})
    ask_too(twin, text)
    return twin


@never_cache
@csp_update({"frame-src": ["'self'"]})  # type: ignore[arg-type]  # it knows no views with arguments
@require_http_methods(["GET", "HEAD", "POST"])
def beside(request: SignedIn, pk: UUID, other: UUID) -> HttpResponse:
    """Two of the user's conversations beside each other; on POST keeps one and archives the other."""
    both = [own_or_404(request, key) for key in (pk, other)]
    if request.method == "POST":
        return _keep(both, request.POST.get("keep", ""))
    context = {"both": both, "heading": visible(both[0].title)}
    return render(request, "conversations/beside_page.html", context)


def _keep(both: list[Conversation], pk: str) -> HttpResponse:
    others = [row.pk for row in both if str(row.pk) != pk]
    if len(others) == len(both):
        raise Http404
    engine.archive(others)
    return redirect("conversations:conversation", pk=pk)
