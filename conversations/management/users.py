"""The user that a command acts for, and the conversation it acts on."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from conversations.errors import Refused
from conversations.models import Conversation
from project.interpreter import python


def user_named(name: str | None) -> User:
    """The user of this name, or the only user or first superuser; raises Refused if there is none."""
    users: Any = get_user_model()._default_manager.filter(is_active=True)
    user: User | None
    if name is not None:
        user = users.filter(username=name).first()
    else:
        user = users.first() if users.count() == 1 else users.filter(is_superuser=True).order_by("pk").first()
    if user is None:
        nobody_yet = f"there is no user yet: run `{python()} manage.py serve` once"
        who = f"no user is called {name}" if name else nobody_yet
        raise Refused(f"Nobody to ask as: {who}.")
    return user


def conversation_with(text: str) -> Conversation:
    """The conversation with this id, whoever owns it; raises Refused if there is none."""
    try:
        return Conversation.objects.get(pk=UUID(text))
    except (ValueError, Conversation.DoesNotExist):
        raise Refused(f"There is no conversation {text}.") from None
