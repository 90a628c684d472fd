"""A user's presets of instructions, which are kept here and chosen in a conversation's settings."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from conversations import engine
from conversations.models import Preset
from conversations.protocol.text import clean_text, visible

from .access import SignedIn
from .preferences import PROMPTS, TOO_MANY, PromptForm

NEW = "preset"


class PresetForm(PromptForm):
    """A preset's name and instructions."""

    LONGEST = engine.settings.LONGEST
    KIND = "preset"

    class Meta:
        model = Preset
        fields = ("name", "text")

    def clean_name(self) -> str:
        """The name in one line, as any database takes it."""
        return " ".join(clean_text(self.cleaned_data["name"]).split())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def presets(request: SignedIn) -> HttpResponse:
    """The text of the user's preset `?id=`; stores a new one on POST, 400 if it is not valid.

    Scripts, which accept JSON, get the new preset's id and name, or what is wrong.
    """
    if request.method != "POST":
        key = request.GET.get("id", "")
        row = request.user.presets.filter(pk=key).first() if key.isascii() and key.isdecimal() else None
        return JsonResponse({"text": row.text}) if row else _page(request)
    form = PresetForm(request.POST, instance=Preset(user=request.user), prefix=NEW)
    if request.user.presets.count() >= PROMPTS:
        form.add_error(None, TOO_MANY.format(form.KIND))
    if request.accepts("text/html"):
        return _store(request, form)
    if form.store():
        return JsonResponse({"id": form.instance.pk, "name": form.instance.name}, status=201)
    faults = [str(sentence) for sentences in form.errors.values() for sentence in sentences]
    return JsonResponse({"fault": " ".join(faults)}, status=400)


@require_POST
def preset(request: SignedIn, pk: int) -> HttpResponse:
    """Changes one of the user's presets, or deletes it if the button says so; 400 if it is not valid."""
    row = get_object_or_404(request.user.presets, pk=pk)
    if "delete" in request.POST:
        row.delete()
        return _back(request, f"{row} is deleted.")
    return _store(request, _form(row, request.POST))


def _store(request: SignedIn, form: PresetForm) -> HttpResponse:
    return _back(request, f"{form.instance} is saved.") if form.store() else _page(request, form)


def _back(request: SignedIn, notice: str) -> HttpResponse:
    messages.success(request, visible(notice))
    return redirect("conversations:presets")


def _page(request: SignedIn, invalid: PresetForm | None = None) -> HttpResponse:
    """The page; an invalid form stands in its preset's place, with its errors."""
    by_preset: dict[int | None, PresetForm] = {invalid.instance.pk: invalid} if invalid else {}
    context: dict[str, Any] = {
        "new_preset": by_preset.get(None) or PresetForm(prefix=NEW),
        "presets": [by_preset.get(row.pk) or _form(row) for row in request.user.presets.all()],
    }
    return render(request, "conversations/presets.html", context, status=400 if invalid else 200)


def _form(row: Preset, data: QueryDict | None = None) -> PresetForm:
    return PresetForm(data, instance=row, prefix=f"preset-{row.pk}")
