"""The websocket: frames in are commands (inbound.py), frames out the journal's, from a cursor on (cursor.py); a socket lives as long
as its session (sessions.py). consumer.py joins the three."""

from .routing import websocket_urlpatterns
from .sessions import SOCKETS

__all__ = ["SOCKETS", "websocket_urlpatterns"]
