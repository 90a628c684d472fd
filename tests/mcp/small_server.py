"""A small MCP server by the SDK, over HTTP if a port is named, else over stdio."""

import asyncio
import base64
import os
import signal
import sys
from typing import Any

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp_types import AudioContent, CallToolResult, ResourceLink, TextContent, ToolAnnotations
from pydantic import BaseModel

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
server: MCPServer[Any] = MCPServer("small")


class Listener(BaseModel):
    """Who listens."""

    name: str
    age: int = 30


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def top_song(sign: str) -> dict[str, str]:
    """Get the most popular song played on a radio station."""
    return {"song": f"the song of {sign}"}


@server.tool()
def pay(sign: str) -> str:
    """Pay a radio station."""
    return f"paid {sign}"


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("no such thing")


@server.tool()
def cover() -> Image:
    """Get a picture."""
    return Image(data=PIXEL, format="png")


@server.tool()
def several() -> CallToolResult:
    """Get content of several kinds."""
    return CallToolResult(
        content=[
            TextContent(type="text", text="a text"),
            AudioContent(type="audio", data="AAAA", mime_type="audio/wav"),
            ResourceLink(type="resource_link", name="the list", uri="https://example.com/list"),
        ]
    )


@server.tool()
async def greet(ctx: Context[Any, Any]) -> str:
    """Greet whoever listens."""
    answer = await ctx.elicit("Who listens?", Listener)
    return (
        f"{answer.action}: {answer.data.name}, {answer.data.age}"
        if answer.action == "accept"
        else answer.action
    )


@server.tool()
async def count(ctx: Context[Any, Any], steps: int = 2) -> str:
    """Count aloud."""
    for number in range(steps):
        await ctx.report_progress(number + 1, steps, f"number {number + 1}")
        await asyncio.sleep(0.3)
    return f"counted to {steps}"


@server.tool()
async def hang() -> str:
    """Never end."""
    await asyncio.sleep(3600)
    return "late"


@server.tool()
async def die() -> str:
    """Kill the server in the middle of the call."""
    os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(3600)
    return "late"


@server.tool()
async def headers(ctx: Context[Any, Any]) -> str:
    """Get the headers of the request."""
    request = ctx.request_context.request
    return str(request.headers.get("x-turntable", "none")) if request is not None else "none"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
