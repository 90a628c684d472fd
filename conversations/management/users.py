"""Who a command acts for, and on which conversation."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from conversations.errors import Refused
from conversations.models import Conversation


def user_named(name: str | None) -> User:
    """The user of this name, or else the only one or the first superuser; raises Refused where there is none."""
    users: Any = get_user_model()._default_manager.filter(is_active=True)
    if name is not None:
        user = users.filter(username=name).first()
    else:
        user = users.first() if users.count() == 1 else users.filter(is_superuser=True).order_by("pk").first()
    if user is None:
        who = (
            f"no user is called {name}" if name else "there is no user yet: run `python manage.py serve` once"
        )
        raise Refused(f"Nobody to ask as: {who}.")
    found: User = user
    return found


def conversation_with(given: str) -> Conversation:
    """The conversation with this id, whoever owns it; raises Refused where there is none."""
    try:
        return Conversation.objects.get(pk=UUID(given))
    except (ValueError, Conversation.DoesNotExist):
        raise Refused(f"There is no conversation {given}.") from None
