"""The start page and its form. A form that was sent without a session waits for the sign-in."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from conversations import engine
from conversations.errors import Refused, Throttled
from conversations.models import Conversation, Model

from .access import SignedIn
from .beside import second_of
from .changes import as_title
from .options import fields_in, new_conversation
from .pages import start_page

if TYPE_CHECKING:
    from django.contrib.auth.models import User

FIELDS = ("model", "title", "system", "message")
UNSENT = "unsent"

Form = dict[str, str]


@require_safe
def index(request: SignedIn) -> HttpResponse:
    """The user's conversations, newest first, and the form of a new one, as sent before a sign-in."""
    unsent = unsent_form(request, request.get_full_path()) or {}
    return start_page(request, unsent, unsent.get("problem", ""))


@login_not_required
def create(request: HttpRequest) -> HttpResponse:
    """Creates a conversation and leads to its page, by way of the sign-in if there is no session."""
    if request.user.is_authenticated:
        return _create(request, request.user)
    is_sent = request.method == "POST"
    return redirect_to_login(_keep(request) if is_sent else request.get_full_path())


@require_POST
def _create(request: HttpRequest, owner: "User") -> HttpResponse:
    form = _form(request)
    try:
        conversation = _begin(owner, form)
    except Refused as refused:
        return start_page(request, form, str(refused), 429 if isinstance(refused, Throttled) else 400)
    request.session.pop(UNSENT, None)
    twin = second_of(owner, conversation, request.POST.get("second", ""), form["message"])
    if twin is not None:
        return redirect("conversations:beside", pk=conversation.pk, other=twin.pk)
    return redirect("conversations:conversation", pk=conversation.pk)


@require_POST
def new(request: SignedIn) -> HttpResponse:
    """Leads to the user's one empty conversation, and makes it if there is none."""
    with transaction.atomic():
        get_user_model()._default_manager.select_for_update().get(pk=request.user.pk)
        conversation = Conversation.objects.owned_by(request.user).empty().first()
        if conversation is None:
            model = Model.default().model_id
            conversation = Conversation.objects.create(owner=request.user, model=model)
        else:
            Conversation.objects.filter(pk=conversation.pk).update(updated_at=timezone.now())
    return redirect("conversations:conversation", pk=conversation.pk)


def _form(request: HttpRequest) -> Form:
    written = {name: request.POST.get(name, "") for name in FIELDS} | fields_in(request.POST)
    return {name: text.replace("\r\n", "\n") for name, text in written.items()}


def unsent_form(request: HttpRequest, address: str) -> Form | None:
    """The form that this browser sent without a session, if the sign-in leads on to this address."""
    form: Form | None = request.session.get(UNSENT)
    return form if form and form["address"] == address else None


def send(request: HttpRequest, form: Form) -> str:
    """Begins the conversation of a form; returns its page's address, or the form's if it is refused."""
    try:
        conversation = _begin(request.user, form)
    except Refused as refused:
        request.session[UNSENT] = form | {"problem": str(refused)}
        return form["address"]
    request.session.pop(UNSENT, None)
    return resolve_url("conversations:conversation", pk=conversation.pk)


def _keep(request: HttpRequest) -> str:
    """Stores the form in the anonymous session; returns its address, which only this browser knows."""
    address = f"{resolve_url('conversations:index')}?{UNSENT}={uuid4()}"
    request.session[UNSENT] = _form(request) | {"address": address}
    return address


def _begin(owner: "User | Any", form: Form) -> Conversation:
    """Creates a conversation and starts its first turn; raises Refused and leaves neither."""
    conversation = new_conversation(owner, form)
    conversation.title = as_title(form["title"])
    conversation.has_own_title = bool(conversation.title)
    conversation.save(force_insert=True)
    try:
        if form["message"].strip():
            engine.start(conversation.pk, str(uuid4()), form["message"])
    except Refused:
        conversation.delete()
        raise
    return conversation
