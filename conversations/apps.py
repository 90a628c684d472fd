"""The app, and the tools that it finds."""

from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.module_loading import autodiscover_modules


class ConversationsConfig(AppConfig):
    """Conversations with a model, and all that belongs to them."""

    name = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Finds the `tools` module of every installed app, and looks after the search index's triggers."""
        from .mcp import check
        from .migrations import _index

        autodiscover_modules("tools")
        register(check)
        pre_migrate.connect(_index.drop_triggers, sender=self)
        post_migrate.connect(_index.create_triggers, sender=self)
