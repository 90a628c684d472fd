"""The models that a page offers."""

from typing import Any

from django import template

from conversations.models import Model

register = template.Library()


@register.simple_tag(takes_context=True)
def others_than(context: dict[str, Any], model_id: str) -> list[Model]:
    """The models that are offered beside this one; before one is chosen, all, if there is more than one.

    None without a request, as the sidebar has no conversations then.
    """
    offered = Model.offered() if context.get("request") else []
    return [model for model in offered if model.model_id != model_id] if len(offered) > 1 else []
