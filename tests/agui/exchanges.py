"""Requests to AG-UI's addresses as programs send them: through the whole ASGI application."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import User

from conversations.models import ApiToken
from project.asgi import application
from project.server import ROOM
from tests.conditions import PATIENCE
from tests.turns import QUESTION

Event = dict[str, Any]


def token_of(user: User, scopes: str = "read run approve") -> str:
    return ApiToken.issue(user, "tests", scopes)[1]


def run_input(text: str | None = QUESTION, **members: Any) -> dict[str, Any]:
    """A RunAgentInput as `@ag-ui/client` sends it."""
    messages = [] if text is None else [{"id": str(uuid4()), "role": "user", "content": text}]
    ids = {"threadId": str(uuid4()), "runId": str(uuid4()), "protocolVersion": "1.0"}
    rest = {"state": {}, "tools": [], "context": [], "forwardedProps": {}}
    return {**ids, "messages": messages, **rest, **members}


class Exchange:
    """A request and its answer, event by event."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self._communicator = communicator
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.is_over = False

    async def begin(self) -> None:
        start = await self._communicator.receive_output(timeout=PATIENCE)
        self.status = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}

    async def more(self) -> None:
        message = await self._communicator.receive_output(timeout=PATIENCE)
        self.text += message.get("body", b"").decode()
        self.is_over = not message.get("more_body")

    async def rest(self) -> str:
        while not self.is_over:
            await self.more()
        return self.text

    async def json(self) -> Any:
        return json.loads(await self.rest())

    async def events(self) -> list[Event]:
        """All events, up to the end."""
        await self.rest()
        return self.so_far()

    async def until(self, kind: str) -> list[Event]:
        while not any(event["type"] == kind for event in self.so_far()):
            assert not self.is_over, self.text
            await self.more()
        return self.so_far()

    def so_far(self) -> list[Event]:
        blocks = self.text.split("\n\n")[:-1]
        return [json.loads(block.removeprefix("data: ")) for block in blocks if not block.startswith(":")]

    async def ended(self) -> None:
        """The server has done with the request."""
        await self._communicator.wait(timeout=PATIENCE)
        self.is_over = True

    async def leave(self) -> None:
        """The client is gone."""
        await self._communicator.send_input({"type": "http.disconnect"})
        await self._communicator.wait(timeout=PATIENCE)


@asynccontextmanager
async def exchange(
    method: str,
    path: str = "/agui/",
    body: Any = None,
    *,
    token: str | None = None,
    headers: dict[str, str] | None = None,
    room: Callable[[], Awaitable[None]] | None = None,
) -> AsyncIterator[Exchange]:
    """A request under way, its answer begun."""
    address, _, query = path.partition("?")
    credentials = {"authorization": f"Bearer {token}"} if token else {}
    all_headers = (
        {"host": settings.ALLOWED_HOSTS[0], "content-type": "application/json"}
        | credentials
        | (headers or {})
    )
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": address,
        "raw_path": address.encode(), "query_string": query.encode(), "scheme": "http", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in all_headers.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    communicator = ApplicationCommunicator(application, scope | ({ROOM: room} if room else {}))
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    await communicator.send_input({"type": "http.request", "body": raw})
    this = Exchange(communicator)
    await this.begin()
    try:
        yield this
    finally:
        await communicator.wait(timeout=PATIENCE) if this.is_over else await this.leave()


async def posted(token: str, body: Any, path: str = "/agui/") -> list[Event]:
    """The events of a run."""
    async with exchange("POST", path, body, token=token) as answer:
        events = await answer.events()
        assert answer.status == 200, answer.text
    return events


async def refused(method: str, path: str = "/agui/", body: Any = None, **options: Any) -> tuple[int, str]:
    """The status and the code of an error."""
    async with exchange(method, path, body, **options) as answer:
        error = (await answer.json())["error"]
        assert error["message"], error
        assert "location" not in answer.headers
        return answer.status, error["code"]


atoken_of = sync_to_async(token_of)
