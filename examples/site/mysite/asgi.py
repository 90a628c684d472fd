import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
http = get_asgi_application()

from conversations.routing import WithTurns, websocket_urlpatterns  # noqa: E402 (models need Django to be set up)

websockets = URLRouter([path("chat/", URLRouter(websocket_urlpatterns))])
application = WithTurns(
    ProtocolTypeRouter(
        {"http": http, "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(websockets))}
    )
)
