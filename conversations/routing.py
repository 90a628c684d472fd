"""The websocket's address."""

from django.urls import path

from conversations.consumers import ChatConsumer

websocket_urlpatterns = [path("ws/conversations/<uuid:conversation>/", ChatConsumer.as_asgi())]
