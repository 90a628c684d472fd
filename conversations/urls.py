"""The app's addresses, for a site to include below any prefix: `include("conversations.urls")`."""

from conversations import agui, web
from conversations.web import app_name

urlpatterns = [*agui.urlpatterns, *web.urlpatterns]

__all__ = ["app_name", "urlpatterns"]
