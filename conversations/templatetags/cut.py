"""The filter that cuts texts in pages, as `truncatechars` does, but between grapheme clusters."""

from django import template

from conversations.protocol import text as protocol_text

register = template.Library()


@register.filter
def beginning(text: str, most: int) -> str:
    """The beginning of a text, with an ellipsis if there is more."""
    return text if len(text) <= most else f"{protocol_text.beginning(text, most - 1)}…"
