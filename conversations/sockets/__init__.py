"""The websocket: frames in are commands, frames out are the journal's.

Of a conversation: inbound.py checks what a socket sends, cursor.py is its place in the journal; consumer.py joins them. Of a user's
library: library.py. door.py lets both in, sessions.py closes them when their session ends, routing.py has the addresses.
"""

from .routing import websocket_urlpatterns
from .sessions import SOCKETS, token_key

__all__ = ["SOCKETS", "token_key", "websocket_urlpatterns"]
