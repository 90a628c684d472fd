"""A user's settings: prompts, standing permissions, API tokens, and the theme of a browser."""

import json
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations.models import SCOPES, Allowance, ApiToken, Prompt
from conversations.protocol.text import clean_text, visible

from .access import SignedIn

if TYPE_CHECKING:
    Form = forms.ModelForm[Any]
else:
    Form = forms.ModelForm

PROMPTS = 100
"""Prompts that a user may keep: each is on every page of a conversation."""

TOKENS = 100
"""API tokens that a user may have: each is on the page of the settings."""

THEMES = ("light", "dark")
"""The themes that a person may choose instead of the system's own."""

YEAR = 365 * 24 * 60 * 60

LONGEST = 10_000
LINE = 60
NAME_TAKEN = "You have a {} with this name already. Choose another name, or change that one."
TOO_MANY = f"You have {PROMPTS} {{}}s already. Delete one first."
TOO_MANY_TOKENS = f"You have {TOKENS} tokens already. Revoke one first."
NO_SCOPE = "Choose what the token may be used for."
TOO_LONG = "This is {:,} characters long. A {} has {:,} at most."


class PromptForm(Form):
    """A prompt's name and text."""

    class Meta:
        model = Prompt
        fields = ("name", "text")

    LONGEST: ClassVar = LONGEST
    KIND: ClassVar = "prompt"

    def clean_text(self) -> str:
        """The text as databases take it, with the chat's line ends; raises ValidationError if too long."""
        text = clean_text(self.cleaned_data["text"]).replace("\r\n", "\n")
        if len(text) > self.LONGEST:
            raise forms.ValidationError(TOO_LONG.format(len(text), self.KIND, self.LONGEST))
        return text

    def store(self) -> bool:
        """Stores the row; returns False, with errors on the form, if anything is wrong."""
        if not self.is_valid():
            return False
        try:
            with transaction.atomic():
                self.save()
        except IntegrityError:
            self.add_error("name", NAME_TAKEN.format(self.KIND))
            return False
        return True


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: SignedIn) -> HttpResponse:
    """The user's prompts and permissions; stores a new prompt on POST, 400 if it is not valid."""
    if request.method != "POST":
        return settings_page(request)
    form = PromptForm(request.POST, instance=Prompt(user=request.user), prefix="new")
    if request.user.prompts.count() >= PROMPTS:
        form.add_error(None, TOO_MANY.format(form.KIND))
    return _store(request, form)


@require_POST
def prompt(request: SignedIn, pk: int) -> HttpResponse:
    """Changes one of the user's prompts, or deletes it if the button says so; 400 if it is not valid."""
    row = get_object_or_404(request.user.prompts, pk=pk)
    if "delete" in request.POST:
        row.delete()
        return back_to_settings(request, f"{row} is deleted.")
    return _store(request, PromptForm(request.POST, instance=row, prefix=str(pk)))


@require_POST
def revoke(request: SignedIn, pk: int) -> HttpResponse:
    """Ends one of the user's standing permissions. Its row stays, as evidence of what it approved."""
    row = get_object_or_404(request.user.allowances, pk=pk)
    Allowance.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now())
    return back_to_settings(request, f"{row.tool} will ask again.")


@never_cache
@require_POST
def tokens(request: SignedIn) -> HttpResponse:
    """Makes a token. The response is the page with the token in it, which is shown this once."""
    scopes = [scope for scope in SCOPES if scope in request.POST.getlist("scope")]
    is_full = request.user.api_tokens.filter(revoked_at=None).count() >= TOKENS
    if is_full or not scopes:
        return settings_page(request, problem=TOO_MANY_TOKENS if is_full else NO_SCOPE)
    name = ApiToken.clean_name(request.POST.get("name", ""))
    _, token = ApiToken.issue(request.user, name, " ".join(scopes))
    return settings_page(request, new_token=token)


@require_POST
def revoke_token(request: SignedIn, pk: int) -> HttpResponse:
    """Ends one of the user's tokens; the row stays, as evidence."""
    row = get_object_or_404(request.user.api_tokens, pk=pk)
    row.revoke()
    return back_to_settings(request, f"The token {row.name} lets nobody in any more.")


@require_POST
def theme(request: SignedIn) -> HttpResponse:
    """Stores a theme in a cookie of this browser, or deletes the cookie for the system's own."""
    answer = redirect("conversations:settings")
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        answer.delete_cookie("theme", samesite="Lax")
        return answer
    answer.set_cookie(
        "theme", chosen, max_age=YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
    return answer


def _store(request: SignedIn, form: PromptForm) -> HttpResponse:
    return (
        back_to_settings(request, f"{form.instance} is saved.")
        if form.store()
        else settings_page(request, form)
    )


def back_to_settings(request: SignedIn, notice: str) -> HttpResponse:
    """Leads back to the page, with a notice."""
    messages.success(request, visible(notice))
    return redirect("conversations:settings")


def settings_page(
    request: SignedIn, invalid: PromptForm | None = None, *, new_token: str = "", problem: str = ""
) -> HttpResponse:
    """The page. An invalid form stands in its prompt's place; a new token is shown this once."""
    by_prompt: dict[int | None, PromptForm] = {invalid.instance.pk: invalid} if invalid else {}
    context: dict[str, Any] = {
        "new": by_prompt.get(None) or PromptForm(prefix="new"),
        "prompts": [by_prompt.get(row.pk) or _form(row) for row in request.user.prompts.all()],
        "allowances": [(row, visible(row.tool), _arguments(row)) for row in _standing(request)],
        "tokens": [(row, visible(row.name)) for row in request.user.api_tokens.filter(revoked_at=None)],
        "scopes": SCOPES,
        "new_token": new_token,
        "token_problem": problem,
    }
    return render(request, "conversations/settings.html", context, status=400 if invalid or problem else 200)


def _form(row: Prompt) -> PromptForm:
    return PromptForm(instance=row, prefix=str(row.pk))


def _standing(request: SignedIn) -> Any:
    return request.user.allowances.filter(revoked_at=None).annotate(used=Count("approvals"))


def _arguments(row: Allowance) -> str:
    """The arguments in one line, or in several if that is long; blank for any."""
    if row.input is None:
        return ""
    line = json.dumps(row.input, ensure_ascii=False)
    text = line if len(line) <= LINE else json.dumps(row.input, ensure_ascii=False, indent=2)
    return visible(clean_text(text))
