"""The site as an ASGI application."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

from project.bodies import BoundedBodies
from project.origin import SameOriginOnly, refuse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
http = get_asgi_application()

from conversations.agui import DetachedStreams  # noqa: E402 (models need Django to be set up)
from conversations.sockets import websocket_urlpatterns  # noqa: E402 (likewise)

anywhere_else = re_path("", refuse)  # type: ignore[arg-type]  # Channels routes to applications, not views
websockets = URLRouter([*websocket_urlpatterns, anywhere_else])
application = ProtocolTypeRouter(
    {
        "http": BoundedBodies(DetachedStreams(http)),
        "websocket": SameOriginOnly(AuthMiddlewareStack(websockets)),
    }
)
