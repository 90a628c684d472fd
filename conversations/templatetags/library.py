"""What every page of a signed-in user says of their library: the number that waits, and marks."""

import time
from typing import Any

from django import template

from conversations.models import marks

register = template.Library()


@register.simple_tag(takes_context=True)
def library_now(context: dict[str, Any]) -> dict[str, int] | None:
    """The number of calls that wait for the user, at this time in ms; None without a user."""
    user = context.get("user")
    if user is None or not user.is_authenticated:
        return None
    now = time.time_ns() // 1_000_000
    return {"now": now, "waiting": marks.numbers_waiting([user.pk]).get(user.pk, 0)}
