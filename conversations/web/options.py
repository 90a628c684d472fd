"""The settings of a conversation, as a panel beside it and as a page of their own."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conversations import engine
from conversations.conf import settings
from conversations.errors import Refused
from conversations.models import Conversation, Model, Preset, prices
from conversations.protocol.text import visible
from conversations.tools import registry

from .access import SignedIn, own_or_404

Fields = Mapping[str, str]
NAMES = ("model", "system", "temperature", "topP", "maxTokens", "stopSequences", "reasoning", "budget")
LABELS = {
    "model": "Model", "system": "Instructions", "temperature": "Temperature", "topP": "topP", "maxTokens": "Most tokens",
    "stopSequences": "Stop sequences", "budget": "Reasoning budget",
}  # fmt: skip
ABILITIES = {
    "takes_tools": "tools",
    "takes_pictures": "pictures",
    "takes_documents": "documents",
    "reasons": "reasoning",
}
NEEDS = {
    "temperature": "takes_temperature",
    "topP": "takes_top_p",
    "stopSequences": "takes_stop_sequences",
    "tools": "takes_tools",
}
"""By field, the ability without which a model has no use for it."""


class Choice(NamedTuple):
    """A model that can be chosen, a sentence about it, and the fields for which it has no use."""

    model_id: str
    name: str
    about: str
    lacks: list[str]
    highest_temperature: float

    @property
    def facts(self) -> dict[str, Any]:
        """Its facts for the page's script."""
        return {"about": self.about, "lacks": self.lacks, "highest": self.highest_temperature}


class Switch(NamedTuple):
    """A tool that can be switched off."""

    name: str
    label: str
    description: str
    is_on: bool


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def options(request: SignedIn, pk: UUID) -> HttpResponse:
    """The settings of the user's own conversation. A POST changes those that it has; 400 if one is wrong.

    Scripts, which accept JSON, get the settings after that, and what is wrong.
    """
    conversation = own_or_404(request, pk)
    is_post = request.method == "POST"
    faults = engine.change_settings(conversation, fields_in(request.POST)) if is_post else {}
    status = 400 if faults else 200
    if request.accepts("application/json") and not request.accepts("text/html"):
        conversation.refresh_from_db()
        hidden = {
            f"{engine.settings.TOOL}{tool}" for tool in engine.permissions.lacking(conversation.owner_id)
        }
        fields = {"name": conversation.model_name} | engine.settings.fields_of(conversation)
        fields = {name: text for name, text in fields.items() if name not in hidden}
        return JsonResponse({"settings": fields, "faults": faults}, status=status)
    if is_post and not faults:
        return redirect("conversations:conversation", pk=pk)
    return _page(request, conversation, faults, status)


def _page(
    request: HttpRequest, conversation: Conversation, faults: Mapping[str, str], status: int
) -> HttpResponse:
    context = {
        "conversation": conversation,
        "heading": visible(conversation.title),
        "panel": panel(conversation, fields_in(request.POST), faults),
    }
    return render(request, "conversations/options_page.html", context, status=status)


def fields_in(form: QueryDict) -> dict[str, str]:
    """The fields of a form that are settings. A hidden field stands for a box that is not checked."""
    return {name: str(form[name]) for name in form if _is_setting(name)}


def in_words(faults: Mapping[str, str]) -> str:
    """What is wrong, as one text."""
    return " ".join(f"{LABELS.get(name, name)}: {sentence}" for name, sentence in faults.items())


def panel(row: Conversation, written: Fields | None = None, faults: Fields | None = None) -> dict[str, Any]:
    """The context of the panel's template, with the fields as written, and the owner's tools."""
    fields = {**engine.settings.fields_of(row), **(written or {})}
    choices = list(_choices(row.model))
    chosen = next((choice for choice in choices if choice.model_id == fields["model"]), choices[0])
    return {
        "fields": fields,
        "faults": faults or {},
        "choices": choices,
        "chosen": chosen,
        "facts": json.dumps({choice.model_id: choice.facts for choice in choices}),
        "presets": list(Preset.objects.filter(user=row.owner_id).values_list("pk", "name")),
        "switches": list(_switches(fields, row.owner_id)),
        "max_tokens": settings.MAX_TOKENS,
    }


def start_panel(form: Fields, owner: Any) -> dict[str, Any]:
    """The panel of a new conversation, with the fields of a form that was refused, if there is one."""
    row = Conversation(owner=owner, model=Model.default().model_id)
    written = {name: text for name, text in form.items() if _is_setting(name) and text}
    faults = engine.settings.apply(row, written)
    return panel(Conversation(owner=owner, model=row.model), written, faults)


def new_conversation(owner: Any, form: Fields) -> Conversation:
    """A new conversation with a form's settings, not stored yet; raises Refused if one is wrong."""
    row = Conversation(owner=owner, model=Model.default().model_id)
    written = {name: text for name, text in form.items() if _is_setting(name) and text}
    faults = engine.settings.apply(row, written)
    if not Model.is_offered(row.model):
        faults = {"model": engine.settings.NOT_OFFERED}
    if faults:
        raise Refused(in_words(faults))
    return row


def _is_setting(name: str) -> bool:
    return name in NAMES or name.startswith(engine.settings.TOOL)


def _choices(current: str) -> Iterator[Choice]:
    """The models on offer, and the conversation's own model if it is not offered any more."""
    offered = Model.offered()
    others = [] if current in {model.model_id for model in offered} else [Model.of(current)]
    for model in [*offered, *others]:
        name = f"{model} (not offered any more)" if model in others else str(model)
        highest = model.capabilities.highest_temperature
        yield Choice(model.model_id, name, _about(model), list(_lacks(model)), highest)


def _lacks(model: Model) -> Iterator[str]:
    capabilities = model.capabilities
    yield from (field for field, fact in NEEDS.items() if getattr(capabilities, fact) is False)
    if capabilities.takes_tools_streaming is False and capabilities.takes_tools is not False:
        yield "tools"
    if capabilities.reasons is not True:
        yield "reasoning"


def _about(model: Model) -> str:
    """Sentences about what the model can do and what it costs."""
    capabilities = model.capabilities
    facts = {name: getattr(capabilities, fact) for fact, name in ABILITIES.items()}
    takes = ", ".join(name for name, fact in facts.items() if fact)
    lacks = " or ".join(name for name, fact in facts.items() if fact is False)
    context = f"{capabilities.context_window:,} tokens of context" if capabilities.context_window else ""
    sentences = [takes.capitalize(), f"No {lacks}" if lacks else "", context, _price(model)]
    return " ".join(f"{sentence}." for sentence in sentences if sentence) or "What it takes is not known."


def _price(model: Model) -> str:
    if model.prices is None:
        return ""
    read, written = (prices.as_text(model.prices[kind]) for kind in ("input", "output"))
    return f"A million tokens cost {read} in, {written} out"


def _switches(fields: Fields, owner: int) -> Iterator[Switch]:
    lacking = engine.permissions.lacking(owner)
    for spec in registry.specs():
        name, description = spec["toolSpec"]["name"], visible(spec["toolSpec"].get("description", ""))
        is_on = fields.get(f"{engine.settings.TOOL}{name}") != "off"
        if name not in lacking:
            yield Switch(name, registry.label_of(name), description, is_on)
