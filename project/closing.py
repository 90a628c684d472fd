"""How Daphne closes a websocket."""

from daphne.ws_protocol import WebSocketProtocol


class AnyCloseCode(WebSocketProtocol):  # type: ignore[misc]  # ships no types
    """Daphne's protocol, which also sends the codes that RFC 6455 names, such as 1012 for a restart: Autobahn keeps them to itself."""

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 (Daphne's name)
        """Closes with the code."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=1000 if code is None else code, isReply=False)
