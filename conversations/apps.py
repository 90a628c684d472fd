"""The app's configuration: what Django runs once all apps are loaded."""

from functools import partial
from typing import Any

from django.apps import AppConfig
from django.core.checks import register
from django.db import transaction
from django.db.models.signals import post_migrate, post_save, pre_migrate
from django.utils.module_loading import autodiscover_modules


class ConversationsConfig(AppConfig):
    """The app of conversations with models."""

    name = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Imports the `tools` module of every installed app, and connects checks, signals and triggers."""
        from .checks import check_site
        from .mcp import check
        from .migrations import _index

        register(check_site)
        post_save.connect(_announce, sender=self.get_model("Conversation"), dispatch_uid="conversations")
        autodiscover_modules("tools")
        register(check)
        pre_migrate.connect(_index.drop_triggers, sender=self)
        post_migrate.connect(_index.create_triggers, sender=self)


def _announce(instance: Any, created: bool, **facts: Any) -> None:
    """Sends `conversation_created` once a new conversation is committed."""
    from . import signals

    if created and signals.conversation_created.has_listeners():
        transaction.on_commit(
            partial(signals.announce, signals.conversation_created, conversation=instance), robust=True
        )
