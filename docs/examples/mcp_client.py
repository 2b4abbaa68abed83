"""An MCP client session: what Claude Code or Cursor does with `lichen mcp`, in the open, over standard streams.

What the client's own model would decide is written out here, so that it runs anywhere.
"""

import asyncio
import sys

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

COMMAND = ["-m", "lichen.agent", "mcp", "--store", "desk", "--namespace", "acme/ann"]


async def session() -> None:
    """Do a task, say how it went, and meet one like it."""
    async with Client(StdioTransport(sys.executable, COMMAND)) as client:
        print("tools:", ", ".join(tool.name for tool in await client.list_tools()))

        first = await client.call_tool("recall", {"situation": "My parcel 4711 never came"})
        name = first.structured_content["id"]
        steps = [
            {"tool": "find_order", "arguments": {"order": 4711}, "answer": "lost in Oslo"},
            {"tool": "send_again", "arguments": {"order": 4711}, "answer": "sent"},
        ]
        await client.call_tool("remember", {"id": name, "steps": steps})
        before = await client.call_tool("recall", {"situation": "My parcel 4712 never came"})
        print("before anybody judged it:", len(before.structured_content["items"]), "items")

        await client.call_tool("feedback", {"id": name, "good": True})
        after = await client.call_tool("recall", {"situation": "My parcel 4712 never came"})
        print(after.structured_content["text"])  # this stands in the model's prompt

        case = after.structured_content["items"][0]["case"]
        (whole,) = await client.read_resource(f"case://{case}")
        print(
            "provenance:", whole.text.count("4711"), "mentions of order 4711 in", f"case://{case}"
        )
        found = await client.call_tool("search_skills", {"query": "send a lost parcel again"})
        print("skills:", len(found.structured_content["result"]))


if __name__ == "__main__":
    asyncio.run(session())
