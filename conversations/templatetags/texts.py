"""Filters for texts: a beginning that cuts no character apart, and the hits of a search marked."""

from collections.abc import Iterable

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from conversations.models.search import Part
from conversations.protocol import text as protocol_text

register = template.Library()


@register.filter
def beginning(text: str, most: int) -> str:
    """The beginning of a text, with an ellipsis if there is more, as `truncatechars` has it."""
    return text if len(text) <= most else f"{protocol_text.beginning(text, most - 1)}…"


@register.filter
def marked(parts: Iterable[Part]) -> SafeString:
    """The parts as HTML. A loop in a template takes ten times as long, and a snippet may have dozens."""
    escaped = ((escape(text), is_hit) for text, is_hit in parts)
    return mark_safe("".join(f"<mark>{text}</mark>" if is_hit else text for text, is_hit in escaped))  # noqa: S308 (escaped)
