"""A client that keeps every frame, reconnects when the server has died, and repeats unsure messages."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

OPEN_PATIENCE = 5.0
"""Seconds for a handshake; the server may be dead, or frozen."""

AGAIN = 0.05
"""Seconds between two tries to connect, or to send."""

ACKNOWLEDGE = 16 * 1024
"""Characters after which what came is acknowledged."""


@dataclass
class Connection:
    """One connection: the seq that it begins after (None: with a snapshot), and its numbered frames."""

    after: int | None
    snapshot: str | None = None
    frames: list[tuple[int, str]] = field(default_factory=list)


class Reader:
    """A page of a conversation."""

    def __init__(
        self, url: str, conversation: str, cookie: str, random: Random, begin: int | None = 0
    ) -> None:
        self.conversation = conversation
        self.connections: list[Connection] = []
        self.sent: dict[str, str] = {}
        """Every message that was ever sent, by its id."""
        self.seen: set[str] = set()
        """The messages that came back from the record."""
        self.refusals: list[dict[str, Any]] = []
        self.notices: list[tuple[str, Any]] = []
        """What came beside the record: names and values."""
        self.ended = 0
        self.last = 0
        self._first: int | None = begin
        self._unacknowledged = 0
        self._address = f"{url.replace('http', 'ws', 1)}/ws/conversations/{conversation}/"
        self._origin, self._cookie, self._random = Origin(url), cookie, random
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None

    def come(self) -> None:
        """Connects, and stays connected."""
        if self._task is None:
            self._task = asyncio.create_task(self._stay())

    async def leave(self) -> None:
        """Closes the connection; the reader may come back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = self._socket = None

    @property
    def begun(self) -> bool:
        """Whether it has a connection, with its snapshot if it begins with one."""
        return any(one.after is not None or one.snapshot is not None for one in self.connections)

    @property
    def unsure(self) -> list[str]:
        """The messages that were sent and have not come back, in order."""
        return [message for message in self.sent if message not in self.seen]

    async def ask(self, text: str) -> str:
        """Sends a message, and again after a crash until it comes back; returns its id."""
        message = str(uuid.uuid4())
        self.sent[message] = text
        await self._send_message(message)
        return message

    async def stop(self) -> None:
        """Stops the running turn."""
        await self.send({"type": "stop"})

    async def move(self, url: str) -> None:
        """Goes to another server."""
        self._address = f"{url.replace('http', 'ws', 1)}/ws/conversations/{self.conversation}/"
        self._origin = Origin(url)
        if self._socket is not None:
            await self._socket.close()

    async def _stay(self) -> None:
        while True:
            try:
                await self._connect()
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(AGAIN)

    async def _connect(self) -> None:
        after = self._begin()
        async with connect(
            self._address if after is None else f"{self._address}?after={after}",
            origin=self._origin,
            additional_headers={"Cookie": self._cookie},
            open_timeout=OPEN_PATIENCE,
            close_timeout=1,
            compression=None,
            proxy=None,
        ) as socket:
            self._socket = socket
            connection = Connection(after)
            self.connections.append(connection)
            self._unacknowledged = 0
            for message in self.unsure:
                await self._send_message(message)
            async for text in socket:
                await self._take(connection, str(text))

    def _begin(self) -> int | None:
        """The seq to begin after: mostly the last one, at times an earlier one, or None for a snapshot."""
        if not self.connections:
            return self._first
        chance = self._random.random()
        if chance < 0.15:
            return None
        return self._random.randint(0, self.last) if chance < 0.35 else self.last

    async def _take(self, connection: Connection, text: str) -> None:
        event = json.loads(text)
        seq = (event.get("metadata") or {}).get("seq")
        if event.get("name") == "turntable.refused":
            await self._take_refusal(event["value"])
        if seq is None:
            self.notices.append((event["name"].removeprefix("turntable."), event["value"]))
            return
        if event["type"] == "MESSAGES_SNAPSHOT":
            connection.snapshot = text
            self.seen |= {message["id"] for message in event["messages"]}
        else:
            connection.frames.append((seq, text))
            self._note(event, seq)
        self.last = max(self.last, seq)
        self._unacknowledged += len(text)
        if self._unacknowledged > ACKNOWLEDGE:
            self._unacknowledged = 0
            await self.send({"type": "ack", "seq": seq})

    async def _take_refusal(self, refusal: dict[str, Any]) -> None:
        """A message that a fault of the server's kept out is sent again, as its writer would."""
        self.refusals.append(refusal)
        if refusal["code"] == "internal" and refusal["id"] in self.unsure:
            await asyncio.sleep(AGAIN)
            await self._send_message(refusal["id"])

    def _note(self, event: dict[str, Any], seq: int) -> None:
        if event["type"] == "TEXT_MESSAGE_START" and event["role"] == "user":
            self.seen.add(event["messageId"])
        if event["type"] in ("RUN_FINISHED", "RUN_ERROR") and seq > self.last:
            self.ended += 1

    async def _send_message(self, message: str) -> None:
        await self.send({"type": "message", "id": message, "text": self.sent[message]})

    async def send(self, frame: dict[str, Any]) -> None:
        """Sends a frame if there is a connection; one that a crash swallows is repeated, or does not matter."""
        if self._socket is not None:
            try:
                await self._socket.send(json.dumps(frame))
            except (OSError, WebSocketException):
                return
