"""The models that a page offers."""

from typing import Any

from django import template

from conversations.models import Model

register = template.Library()


@register.simple_tag(takes_context=True)
def several_models(context: dict[str, Any]) -> list[Model]:
    """The models that are offered, if there is more than one.

    None without a request, as the sidebar has no conversations then.
    """
    offered = Model.offered() if context.get("request") else []
    return offered if len(offered) > 1 else []
