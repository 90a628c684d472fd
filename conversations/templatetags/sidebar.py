"""The tag of the frame that every page of a signed-in user has."""

from typing import Any

from django import template
from django.template.context import Context

from conversations.models import Conversation
from conversations.web import listing

register = template.Library()


@register.inclusion_tag("conversations/sidebar.html", takes_context=True)
def sidebar(context: Context) -> dict[str, Any]:
    """The user's conversations beside the page, with the page's own marked; empty without a request.

    Beside a part of the list, such as what a search finds, they come later, by script.
    """
    request, conversation = context.get("request"), context.get("conversation")
    if request is None:
        return {"current": conversation}
    is_own = isinstance(conversation, Conversation) and conversation.owner_id == request.user.pk
    current = conversation if is_own else None
    beside = {name: context[name] for name in ("request", "user", "csrf_token") if name in context}
    if context.get("is_part"):
        return {**beside, "is_late": True}
    return {**beside, "current": current, "sidebar": listing(request, current)}
