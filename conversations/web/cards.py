"""A call's own card, drawn by a template of the site in the place of its arguments and result."""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conversations.models import Approval, Conversation, ToolCall
from conversations.protocol.agui.events import result_text
from conversations.tools import registry

from .access import SignedIn, watched_or_404

logger = logging.getLogger(__name__)

Cards = dict[str, str]


@dataclass(frozen=True)
class CardCall:
    """A call as a template gets it. `arguments` are those with which it ran.

    `result` is the object that the tool returned, or else its text, and None before that. `status` is `success` or `error`, blank before
    that.
    """

    id: str
    name: str
    label: str
    arguments: dict[str, Any]
    result: Any
    text: str
    status: str
    error: str


@never_cache
@require_safe
def card(request: SignedIn, pk: UUID) -> HttpResponse:
    """The card of the call `?call=`, with `?asked` as it was before its result; 204 if it has none."""
    conversation = watched_or_404(request, pk)
    row = get_object_or_404(
        ToolCall.objects.select_related("approval"),
        conversation=conversation,
        tool_use_id=request.GET.get("call", ""),
    )
    body = draw(request, conversation, row, is_asked="asked" in request.GET)
    return HttpResponse(body) if body else HttpResponse(status=204)


def cards_of(request: HttpRequest, conversation: Conversation, names: dict[str, str]) -> Cards:
    """The cards of a page's calls, by their ids; `names` has the tools' names by the same ids."""
    ids = [call for call, name in names.items() if has_card(name)]
    if not ids:
        return {}
    rows = ToolCall.objects.filter(conversation=conversation, tool_use_id__in=ids)
    rows = rows.select_related("approval")
    return {row.tool_use_id: body for row in rows if (body := draw(request, conversation, row))}


def has_card(name: str) -> bool:
    """Whether the site has a template for calls of the tool."""
    tool = registry.get(name)
    if tool is None:
        return False
    try:
        get_template(tool.template)
    except TemplateDoesNotExist:
        return bool(tool.card)
    except TemplateSyntaxError:
        return True  # `draw` logs it
    return True


def draw(request: HttpRequest, conversation: Conversation, row: ToolCall, *, is_asked: bool = False) -> str:
    """Draws the call by its template. Blank, for the usual card, if there is none or if it fails."""
    tool = registry.get(row.name)
    if tool is None or not has_card(row.name):
        return ""
    call = _call(row, is_asked=is_asked or row.result is None)
    context = {"call": call, "arguments": call.arguments, "result": call.result, "conversation": conversation}
    try:
        return get_template(tool.template).render(context, request)
    except Exception:
        logger.exception("the card of tool %s could not be drawn by %s", row.name, tool.template)
        return ""


def _call(row: ToolCall, *, is_asked: bool) -> CardCall:
    approval: Approval | None = getattr(row, "approval", None)
    edited = approval.input if approval else None
    content = [] if is_asked else row.result
    return CardCall(
        id=row.tool_use_id,
        name=row.name,
        label=registry.label_of(row.name),
        arguments=(row.input or {}) if edited is None else edited,
        result=None if is_asked else _value(content),
        text=result_text(content),
        status="" if is_asked else row.status,
        error="" if is_asked else row.error,
    )


def _value(content: list[dict[str, Any]]) -> Any:
    """The object that a tool returned, or its text: the last block, behind one about edited arguments."""
    last = content[-1] if content else {}
    return last["json"] if "json" in last else result_text(content)


def tools_as_json(names: Iterable[str]) -> str:
    """The labels of the tools and which have cards, for scripts; blank if no tool has either."""
    tools = {
        name: {"label": registry.label_of(name), "card": has_card(name)}
        for name in names
        if registry.label_of(name) != name or has_card(name)
    }
    return json.dumps(tools) if tools else ""
