"""Who a command acts for."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from conversations.errors import Refused


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
