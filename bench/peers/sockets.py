"""Clients of the peers, on the same bare websocket as the product's."""

import asyncio
import json
import uuid
from datetime import UTC, datetime

from bench.sockets import QUESTION, Socket, settle

CONNECTED_SECONDS = 1.0
"""Seconds in which Chainlit prepares a session once its page has connected."""


class FastApiSocket(Socket):
    """A websocket of the FastAPI app."""

    def __init__(self, url: str, model: str) -> None:
        super().__init__(url, "/chat")
        self._model = model

    def prompt(self) -> None:
        """Sends a message."""
        self.send(json.dumps({"model": self._model, "text": QUESTION}).encode())

    def take(self, payload: bytes, at: int) -> None:
        """Counts deltas and sees the end."""
        if not self.tally.take(payload, at) and b'"end"' in payload:
            settle(self.ended, is_good=True)


class ChainlitSocket(Socket):
    """A page of Chainlit: socket.io over engine.io over a websocket."""

    def __init__(self, url: str, model: str) -> None:
        super().__init__(url, "/ws/socket.io/?EIO=4&transport=websocket")
        self._model, self._session = model, str(uuid.uuid4())

    def upgraded(self) -> None:
        """Waits: engine.io speaks first."""

    def prompt(self) -> None:
        """Sends a message, which is the model's id."""
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        message = {
            "id": str(uuid.uuid4()), "threadId": "", "name": "user", "type": "user_message",
            "output": self._model, "createdAt": created,
        }  # fmt: skip
        self._emit("client_message", {"message": message, "fileReferences": []})

    def take(self, payload: bytes, at: int) -> None:
        """Counts the tokens; the final message repeats them all and is not counted."""
        event = payload[:40]
        if b'"stream_token"' in event or b'"stream_start"' in event:
            self.tally.take(payload, at)
        elif b'"task_end"' in event:
            settle(self.ended, is_good=True)
        else:
            self._shake_hands(payload)

    def _shake_hands(self, payload: bytes) -> None:
        if payload == b"2":
            self.send(b"3")
        elif payload.startswith(b"0"):
            session = {"clientType": "webapp", "sessionId": self._session, "threadId": "", "userEnv": "{}"}
            self.send(b"40" + json.dumps({**session, "chatProfile": ""}).encode())
        elif payload.startswith(b"40"):
            self._emit("connection_successful")
            loop = asyncio.get_running_loop()
            loop.call_later(CONNECTED_SECONDS, lambda: settle(self.opened, is_good=True))

    def _emit(self, *event: object) -> None:
        self.send(b"42" + json.dumps(event).encode())
