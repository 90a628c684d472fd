"""The pages: the list of conversations, a conversation and its views, the user's settings."""

from .cards import tools_as_json
from .preferences import THEMES
from .sidebar import listing
from .start import send, unsent_form
from .urls import app_name, urlpatterns

__all__ = ["THEMES", "app_name", "listing", "send", "tools_as_json", "unsent_form", "urlpatterns"]
