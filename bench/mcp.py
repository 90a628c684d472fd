"""The time that the product adds to a call of an MCP server's tool, beside the SDK alone."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .machine import cores, pin
from .report import Figure, Report, Tell, figures_report
from .sample import milliseconds

ADDED = 2
"""Milliseconds that the product may add to a call."""

WARM_UP = 20
ARGUMENTS = {"text": "As God is my witness, I thought turkeys could fly."}
SERVER = """
from mcp.server.mcpserver import MCPServer

server = MCPServer("bench")


@server.tool()
def echo(text: str) -> dict[str, str]:
    return {"text": text}


server.run("stdio")
"""

Way = Callable[[], Awaitable[object]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--calls", type=int, default=500, help="that are timed each way (500)")


def report(options: argparse.Namespace, tell: Tell) -> Report:
    """Makes the same call each way; all is well if the product adds little to the SDK."""
    spread = cores()
    pin(spread.load)
    tell(f"{options.calls} calls each way")
    with TemporaryDirectory() as folder:
        _set_up(Path(folder))
        times = {
            name: sorted(some) for name, some in asyncio.run(_measure(Path(folder), options.calls)).items()
        }
    added = milliseconds(times["the product"], 50) - milliseconds(times["the SDK alone"], 50)
    figures = [
        *(Figure(f"a call, {name}, p50", milliseconds(some, 50), "ms") for name, some in times.items()),
        Figure("a call, the product, p99", milliseconds(times["the product"], 99), "ms"),
        Figure("added to the SDK, p50", round(added, 2), "ms", ADDED),
    ]
    return figures_report(figures, spread.note, calls=options.calls)


def _set_up(folder: Path) -> None:
    """A site of its own, with one server."""
    (folder / "server.py").write_text(SERVER)
    server = {"command": sys.executable, "args": [str(folder / "server.py")], "approval": "never"}
    (folder / "mcp.json").write_text(json.dumps({"mcpServers": {"bench": server}}))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "MCP_SERVERS": str(folder / "mcp.json"),
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


async def _measure(folder: Path, calls: int) -> dict[str, list[int]]:
    """The times of each way in us."""
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    from conversations.mcp import SERVERS
    from conversations.tools import execute, tool

    @tool
    def echo(text: str) -> dict[str, str]:
        """Echo a text."""
        return {"text": text}

    await SERVERS.wait_until_ready()
    parameters = StdioServerParameters(command=sys.executable, args=[str(folder / "server.py")])
    async with Client(parameters, mode="legacy") as client:
        ways: dict[str, Way] = {
            "a function of our own": lambda: execute("echo", ARGUMENTS),
            "the SDK alone": lambda: client.call_tool("echo", ARGUMENTS),
            "the product": _call,
        }
        for _ in range(WARM_UP):
            await _times(ways)
        rounds = [await _times(ways) for _ in range(calls)]
    await SERVERS.stop()
    return {name: [one[name] for one in rounds] for name in ways}


async def _times(ways: dict[str, Way]) -> dict[str, int]:
    """The time of a call each way, in us, one after another."""
    return {name: await _timed(way) for name, way in ways.items()}


async def _call() -> Any:
    from conversations.tools import RemoteCall, RemoteTool, registry

    remote = registry.get("bench__echo")
    if not isinstance(remote, RemoteTool):
        raise TypeError("the server's tool is not offered")
    call = RemoteCall(remote, ARGUMENTS, labels={}, takes_pictures=True)
    return await call.wait(asyncio.Event())


async def _timed(way: Way) -> int:
    began = time.perf_counter_ns()
    await way()
    return (time.perf_counter_ns() - began) // 1000
