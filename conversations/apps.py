"""The app, and the tools that it finds."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ConversationsConfig(AppConfig):
    """Conversations with a model, and all that belongs to them."""

    name = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the `tools` module of every installed app, so that its tools are there."""
        autodiscover_modules("tools")
