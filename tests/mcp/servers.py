"""MCP servers for tests, and a process's connection to them."""

import asyncio
import json
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.test import override_settings

from conversations import engine
from conversations.engine import WORKER
from conversations.mcp import SERVERS
from conversations.models import Conversation, ToolCall, Turn
from conversations.tools import registry
from tests.conditions import PATIENCE, until

SMALL = Path(__file__).parent / "small_server.py"
STDIO = {"command": sys.executable, "args": [str(SMALL)]}
TRIES = 3
"""Of what has to happen within a time, once of which is enough: the machine may be busy."""


@contextmanager
def connected_to(folder: Path, **servers: dict[str, Any]) -> Iterator[None]:
    """Connects to these servers through a file for MCP_SERVERS, without any other tools."""
    path = folder / "mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}))
    with override_settings(MCP_SERVERS=str(path)), registry.override():
        try:
            yield
        finally:
            WORKER.wait(PATIENCE)
            stop()


def stop() -> None:
    """Ends the servers' tasks, on the turns' loop."""
    loop = WORKER._loop
    if loop is not None and loop.is_running():
        asyncio.run_coroutine_threadsafe(SERVERS.stop(), loop).result(PATIENCE)


@contextmanager
def listening(*command: str, **environment: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A server over HTTP: its URL and its process. `{port}` in the command is the port."""
    port = free_port()
    arguments = [argument.format(port=port) for argument in command]
    variables = {name: value.format(port=port) for name, value in environment.items()}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(arguments, env=variables or None, **quiet) as process:  # type: ignore[call-overload]
        try:
            until(lambda: is_open(port))
            yield f"http://127.0.0.1:{port}/mcp", process
        finally:
            process.kill()


def small_over_http() -> Any:
    """The small server over HTTP."""
    return listening(sys.executable, str(SMALL), "{port}")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    """Whether somebody listens at the port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def call_of(conversation: Conversation) -> ToolCall:
    return ToolCall.objects.get(conversation=conversation)


def begin(conversation: Conversation, text: str) -> Turn:
    """A turn whose call has begun at the server."""
    turn = engine.start(conversation.pk, str(uuid.uuid4()), text).turn
    calls = ToolCall.objects.filter(turn=turn)
    until(lambda: calls.exclude(status=ToolCall.Status.REQUESTED).exists())
    return turn


def at_rest(turn: Turn) -> Turn:
    assert engine.WORKER.wait(PATIENCE)
    return Turn.objects.get(pk=turn.pk)
