"""The websocket's address."""

from django.urls import path

from .consumer import ChatConsumer

websocket_urlpatterns = [path("ws/conversations/<uuid:conversation>/", ChatConsumer.as_asgi())]
