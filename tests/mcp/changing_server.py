"""An MCP server whose tool is described as a file says: `python changing_server.py FILE`."""

import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context, MCPServer

server: MCPServer[Any] = MCPServer("changing")


def story() -> str:
    """Tell a story."""
    return "once"


@server.tool(description=Path(sys.argv[1]).read_text())
def song() -> str:
    return "la"


@server.tool()
async def learn(name: str, ctx: Context[Any, Any]) -> str:
    """Learn a tool."""
    server.add_tool(story, name=name)
    await ctx.session.send_tool_list_changed()
    return f"learned {name}"


if __name__ == "__main__":
    server.run("stdio")
