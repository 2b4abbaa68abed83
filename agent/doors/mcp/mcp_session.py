"""One session with an MCP server, kept open for all calls, and opened again when it died.

It lives on the loop of `envs.awaiting`. What a tool says of a wrong call is its answer; a server that cannot be
reached, or went away during a call, is an outage, of which nothing is known.
"""

import asyncio
import json
from typing import Any

from ....envs.errors import EnvironmentFault, MissingExtra, UsageError
from .mcp_servers import McpServer

_OURS = (-32602, -32601, -32600)
"""Codes of JSON-RPC that say that the request was wrong: parameters, method, form."""
_NO_METHOD = -32601
_OPEN = 30.0
"""Seconds that a server may take to begin."""


class McpSession:
    """A server as it is used.

    Args:
        name: Of the server in the settings.
        server: How it is reached.
    """

    def __init__(self, name: str, server: McpServer) -> None:
        self.name, self.server = name, server
        self._client: Any = None
        self._lock: asyncio.Lock | None = None
        self._contracts: dict[str, str] = {}
        """Tool -> its input schema as JSON, when it was listed first."""

    async def tools(self) -> list[Any]:
        """Return the server's tools, as MCP describes them.

        Raises:
            EnvironmentFault: It cannot be reached.
        """
        client = await self._opened()
        try:
            found: list[Any] = await client.list_tools()
        except Exception as error:
            raise await self._outage(error) from error
        self._contracts = {tool.name: _contract(tool) for tool in found}
        return found

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        """Return what a tool answers, as text.

        Raises:
            UsageError: It says that the call failed.
            EnvironmentFault: The server cannot be reached, went away, did not answer in time, or describes
                this tool otherwise than it did.
        """
        client = await self._opened()
        try:
            result = await client.call_tool_mcp(tool, arguments, timeout=self.server.timeout)
        except Exception as error:
            code = getattr(error, "code", None)
            if code in _OURS:
                raise UsageError(str(error)) from error
            raise await self._outage(error) from error
        text = text_of(result)
        if result.is_error:
            raise UsageError(text or "it failed, and did not say why")
        return text

    async def close(self) -> None:
        """End the session; the next call opens it again."""
        client, self._client = self._client, None
        if client is not None:
            try:
                await asyncio.wait_for(client.close(), 10)
            except Exception:  # it is gone, which is all that is wanted
                return

    async def _opened(self) -> Any:
        """Return the client, connected: of a server that went away a new one."""
        self._lock = self._lock or asyncio.Lock()
        async with self._lock:
            if self._client is not None and not await self._lives():
                await self.close()
            if self._client is None:
                client = self._made()
                try:
                    await asyncio.wait_for(client.__aenter__(), _OPEN)
                    await self._same(client)
                except EnvironmentFault:
                    raise
                except Exception as error:
                    raise self._unreachable(error) from error
                self._client = client
        return self._client

    async def _lives(self) -> bool:
        try:
            await asyncio.wait_for(self._client.ping(), self.server.timeout)
        except Exception as error:
            return getattr(error, "code", None) == _NO_METHOD  # it answered
        return True

    async def _same(self, client: Any) -> None:
        """Hold a server that began anew to what its tools were.

        Raises:
            EnvironmentFault: One is another now.
        """
        if not self._contracts:
            return
        now = {tool.name: _contract(tool) for tool in await client.list_tools()}
        changed = sorted(
            name for name, held in self._contracts.items() if now.get(name, held) != held
        )
        if changed:
            await client.close()
            raise EnvironmentFault(
                f"the MCP server {self.name!r} began anew and describes {', '.join(changed)} otherwise",
                hint="Open the agent again: what used the old contract is quarantined then.",
            )

    def _made(self) -> Any:
        try:
            from fastmcp import Client
            from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
        except ImportError as error:
            raise MissingExtra("an MCP server's tools", "mcp", "fastmcp") from error
        server = self.server
        if server.url:
            return Client(
                StreamableHttpTransport(server.url, headers=dict(server.headers)),
                timeout=server.timeout,
            )
        command = StdioTransport(
            server.command, list(server.args), env=dict(server.env) or None, cwd=server.cwd
        )
        return Client(command, timeout=server.timeout)

    async def _outage(self, error: Exception) -> EnvironmentFault:
        await self.close()
        return self._unreachable(error)

    def _unreachable(self, error: Exception) -> EnvironmentFault:
        said = " ".join(str(error).split()) or type(error).__name__
        return EnvironmentFault(
            f"the MCP server {self.name!r} did not answer: {said[:300]}",
            hint="See whether it runs; the outcome is unknown, and the next call tries it again.",
        )


def text_of(result: Any) -> str:
    """Return what a result says, as text; what is no text is named."""
    said = []
    for block in result.content:
        if block.type == "text":
            said.append(block.text)
        elif block.type == "resource" and hasattr(block.resource, "text"):
            said.append(block.resource.text)
        elif block.type == "resource_link":
            said.append(f"[{block.name}: {block.uri}]")
        else:
            said.append(
                f"[{block.type} {getattr(block, 'mime_type', '') or ''}]".replace(" ]", "]")
            )
    if not said and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(said)


def _contract(tool: Any) -> str:
    return json.dumps(tool.input_schema, sort_keys=True)
