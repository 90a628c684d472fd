"""The theme of pages: the system's, unless this browser has chosen one."""

from typing import Any

from django import template

THEMES = ("light", "dark")

register = template.Library()


@register.simple_tag(takes_context=True)
def chosen_theme(context: dict[str, Any]) -> str:
    """The theme that this browser keeps in its cookie, blank for the system's."""
    request = context.get("request")
    theme = request.COOKIES.get("theme", "") if request else ""
    return theme if theme in THEMES else ""
