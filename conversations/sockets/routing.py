"""The websockets' addresses."""

from django.urls import path

from .consumer import ChatConsumer
from .library import LibraryConsumer

websocket_urlpatterns = [
    path("ws/conversations/<uuid:conversation>/", ChatConsumer.as_asgi()),
    path("library/socket/", LibraryConsumer.as_asgi()),
]
