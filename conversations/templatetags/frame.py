"""Tags of what every page has: the conversations beside it, the approvals that wait, the theme."""

import time
from typing import Any

from django import template
from django.conf import settings
from django.shortcuts import resolve_url
from django.template.context import Context

from conversations.models import Conversation, Model, marks
from conversations.web import THEMES, listing

register = template.Library()


@register.inclusion_tag("conversations/sidebar.html", takes_context=True)
def sidebar(context: Context) -> dict[str, Any]:
    """The user's conversations beside the page, the page's own marked; empty without a request.

    On a page that is itself a list, such as a search, a script fetches them later.
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


@register.simple_tag(takes_context=True)
def library_now(context: dict[str, Any]) -> dict[str, int] | None:
    """The time in ms, and the number of calls that wait for the user at it; None without a user."""
    user = context.get("user")
    if user is None or not user.is_authenticated:
        return None
    now = time.time_ns() // 1_000_000
    return {"now": now, "waiting": marks.pending_counts([user.pk]).get(user.pk, 0)}


@register.simple_tag(takes_context=True)
def chosen_theme(context: dict[str, Any]) -> str:
    """The theme in this browser's cookie, blank for the system's own."""
    request = context.get("request")
    theme = request.COOKIES.get("theme", "") if request else ""
    return theme if theme in THEMES else ""


@register.simple_tag(takes_context=True)
def several_models(context: dict[str, Any]) -> list[Model]:
    """The models that are offered, if there are several; empty without a request, as the sidebar is."""
    offered = Model.offered() if context.get("request") else []
    return offered if len(offered) > 1 else []


@register.simple_tag
def sign_in_address() -> str:
    """The address of the site's sign-in form."""
    return resolve_url(settings.LOGIN_URL)
