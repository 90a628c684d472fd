"""The app's websockets, and turns beside them, for a site's ASGI application."""

import asyncio
from typing import Any

from conversations import engine
from conversations.agui import DetachedStreams
from conversations.sockets import websocket_urlpatterns

__all__ = ["WithTurns", "websocket_urlpatterns"]


class WithTurns:
    """An ASGI application, in whose process turns run from its first request on.

    Any server will do: turns of a process that has ended are taken up by another one.
    """

    def __init__(self, application: Any) -> None:
        self._application, self._http = application, DetachedStreams(application)
        self._has_begun = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Passes the request or websocket on."""
        if not self._has_begun:
            self._has_begun = True
            engine.WORKER.serve(asyncio.get_running_loop())
        application = self._http if scope["type"] == "http" else self._application
        await application(scope, receive, send)
