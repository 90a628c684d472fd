"""The websocket: frames in are commands, frames out are the journal's.

inbound.py checks what a socket sends, cursor.py is its place in the journal, sessions.py closes it when its session ends. consumer.py
joins the three.
"""

from .routing import websocket_urlpatterns
from .sessions import SOCKETS, token_key

__all__ = ["SOCKETS", "token_key", "websocket_urlpatterns"]
