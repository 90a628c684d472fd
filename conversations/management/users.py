"""The user for whom a command acts, and the conversation."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from conversations.errors import Refused
from conversations.management.interpreter import python
from conversations.models import Conversation, Model


def user_named(name: str | None) -> User:
    """The user of this name, or the only user or first superuser; raises Refused if there is none."""
    users: Any = get_user_model()._default_manager.filter(is_active=True)
    user: User | None
    if name is not None:
        user = users.filter(**{get_user_model().USERNAME_FIELD: name}).first()
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


def own_conversation(user: User, text: str) -> Conversation:
    """The user's conversation with this id; raises Refused if they have none."""
    try:
        return Conversation.objects.owned_by(user).get(pk=UUID(text))
    except (ValueError, Conversation.DoesNotExist):
        raise Refused(f"{user.get_username()} has no conversation {text}.") from None


def new_conversation(user: User, model: str | None) -> Conversation:
    """Creates a conversation of the user's, with the model named or else the default."""
    return Conversation.objects.create(owner=user, model=model or Model.default().model_id)
