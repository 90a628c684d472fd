"""What a user has settled: the prompts that they keep, and the tools that they let run unasked."""

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations.models import Allowance, Prompt
from conversations.protocol.text import clean_text, visible

from .access import SignedIn

if TYPE_CHECKING:
    Form = forms.ModelForm[Prompt]
else:
    Form = forms.ModelForm

PROMPTS = 100
"""Prompts that a user may keep: each is on every page of a conversation."""

LONGEST = 10_000
LINE = 60
TAKEN = "You have a prompt with this name already. Choose another name, or change that one."
TOO_MANY = f"You have {PROMPTS} prompts already. Delete one first."
TOO_LONG = f"This is {{:,}} characters long. A prompt has {LONGEST:,} at most."


class PromptForm(Form):
    """A prompt's name and text."""

    class Meta:
        model = Prompt
        fields = ("name", "text")

    def clean_text(self) -> str:
        """The text as any database takes it, its lines ended as the chat's are."""
        text = clean_text(self.cleaned_data["text"]).replace("\r\n", "\n")
        if len(text) > LONGEST:
            raise forms.ValidationError(TOO_LONG.format(len(text)))
        return text

    def keep(self) -> bool:
        """Stores the prompt; False, with the errors told, if there is anything wrong with it."""
        if not self.is_valid():
            return False
        try:
            with transaction.atomic():
                self.save()
        except IntegrityError:
            self.add_error("name", TAKEN)
            return False
        return True


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: SignedIn) -> HttpResponse:
    """The user's prompts and permissions; takes a new prompt on POST, 400 with all that was written if it is none."""
    if request.method != "POST":
        return _shown(request)
    form = PromptForm(request.POST, instance=Prompt(user=request.user), prefix="new")
    if request.user.prompts.count() >= PROMPTS:
        form.add_error(None, TOO_MANY)
    return _kept(request, form)


@require_POST
def prompt(request: SignedIn, pk: int) -> HttpResponse:
    """Changes one of the user's prompts, or deletes it if the button says so; 400 as above."""
    found = get_object_or_404(request.user.prompts, pk=pk)
    if "delete" in request.POST:
        found.delete()
        return _back(request, f"{found} is deleted.")
    return _kept(request, PromptForm(request.POST, instance=found, prefix=str(pk)))


@require_POST
def revoke(request: SignedIn, pk: int) -> HttpResponse:
    """Ends one of the user's standing permissions; the row stays, as evidence of what was let through."""
    found = get_object_or_404(request.user.allowances, pk=pk)
    Allowance.objects.filter(pk=found.pk, revoked_at=None).update(revoked_at=timezone.now())
    return _back(request, f"{found.tool} will ask again.")


def _kept(request: SignedIn, form: PromptForm) -> HttpResponse:
    return _back(request, f"{form.instance} is saved.") if form.keep() else _shown(request, form)


def _back(request: SignedIn, done: str) -> HttpResponse:
    messages.success(request, visible(done))
    return redirect("conversations:settings")


def _shown(request: SignedIn, wrong: PromptForm | None = None) -> HttpResponse:
    """The page, with the form that something is wrong with in its place."""
    told: dict[int | None, PromptForm] = {wrong.instance.pk: wrong} if wrong else {}
    context: dict[str, Any] = {
        "new": told.get(None) or PromptForm(prefix="new"),
        "prompts": [told.get(row.pk) or _form(row) for row in request.user.prompts.all()],
        "allowances": [(row, visible(row.tool), _said(row)) for row in _standing(request)],
    }
    return render(request, "conversations/settings.html", context, status=400 if wrong else 200)


def _form(row: Prompt) -> PromptForm:
    return PromptForm(instance=row, prefix=str(row.pk))


def _standing(request: SignedIn) -> Any:
    return request.user.allowances.filter(revoked_at=None).annotate(used=Count("approvals"))


def _said(row: Allowance) -> str:
    """The arguments in one line, or in several if that is long."""
    line = json.dumps(row.input, ensure_ascii=False)
    text = line if len(line) <= LINE else json.dumps(row.input, ensure_ascii=False, indent=2)
    return visible(clean_text(text))
