"""The models that a page offers."""

from django import template

from conversations.models import Model

register = template.Library()


@register.simple_tag
def others_than(model_id: str) -> list[Model]:
    """The models that are offered beside this one; before one is chosen, all, if there is more than one."""
    offered = Model.offered()
    return [model for model in offered if model.model_id != model_id] if len(offered) > 1 else []
