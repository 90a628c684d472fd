"""Tags about tools: their labels, and their own cards."""

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from conversations import engine
from conversations.tools import registry
from conversations.web import tools_as_json

register = template.Library()


@register.simple_tag(takes_context=True)
def own_tools(context: dict[str, Any]) -> str:
    """The labels of the user's tools and which have cards, as JSON; blank if no tool has either."""
    request = context.get("request")
    lacking = engine.permissions.lacking(request.user.pk) if request else ()
    return tools_as_json(name for name in registry.names() if name not in lacking)


@register.filter
def tool_label(name: str) -> str:
    """The label that people read instead of a tool's name."""
    return registry.label_of(name)


@register.simple_tag(takes_context=True)
def own_card(context: dict[str, Any], call: str) -> SafeString:
    """The card that a template of the site drew for a call of this page, blank for most calls."""
    body: str = context.get("cards", {}).get(call.removeprefix("call:"), "")
    return mark_safe(body)  # noqa: S308 (a template has made it, which escapes)
