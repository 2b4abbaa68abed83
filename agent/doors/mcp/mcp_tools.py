"""Tools of MCP servers as tools of the agent: with contracts, so that a changed schema is noticed.

    from lichen.agent import Agent, mcp_tools
    agent = Agent.from_config(tools=mcp_tools(shop={"command": "shop-mcp"}))

The setting `mcp` does the same, and closes the sessions with the agent.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from ....envs.awaiting import awaited
from ....envs.describing import Described, tool_name
from ....envs.errors import BadFile, UsageError
from ....envs.tools import Tool
from .mcp_servers import McpServer
from .mcp_session import McpSession


class McpTools:
    """The tools of some servers, and the sessions behind them.

    Args:
        servers: By name.

    Raises:
        EnvironmentFault: A server cannot be reached.
        UsageError: Two tools have one name, or one that is named is not there.
        MissingExtra: FastMCP is not installed (`pip install 'lichen[mcp]'`).
    """

    def __init__(self, servers: Mapping[str, McpServer]) -> None:
        self._sessions = [McpSession(name, server) for name, server in servers.items()]
        self.tools: list[Tool] = []
        try:
            for session in self._sessions:
                self.tools += _tools(session)
            names = [tool.spec.name for tool in self.tools]
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise UsageError(
                    f"two MCP servers have a tool {twice[0]!r}",
                    hint="Give one of them a `prefix` in the settings.",
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the sessions."""
        for session in self._sessions:
            awaited(session.close())


def mcp_tools(**servers: McpServer | Mapping[str, Any]) -> list[Tool]:
    """Return the tools of MCP servers; the sessions live as long as this process.

    Args:
        servers: By name: a `McpServer`, or its fields (`command`, `args`, `env`, or `url`).

    Raises:
        BadFile: What is given describes no server.
        EnvironmentFault: A server cannot be reached.
        UsageError: Two tools have one name.
    """
    found = {}
    for name, given in servers.items():
        try:
            found[name] = McpServer.model_validate(given)
        except ValidationError as error:
            raise BadFile(
                f"the MCP server {name!r} is wrong: {error.errors()[0]['msg']}"
            ) from error
    return McpTools(found).tools


def _tools(session: McpSession) -> list[Tool]:
    server = session.server
    there = {tool.name: tool for tool in awaited(session.tools())}
    for name in (*(server.tools or ()), *server.approve):
        if name not in there:
            known = ", ".join(sorted(there)) or "none"
            raise UsageError(
                f"the MCP server {session.name!r} has no tool {name!r}; it has: {known}"
            )
    return [
        _tool(session, tool)
        for name, tool in there.items()
        if server.tools is None or name in server.tools
    ]


def _tool(session: McpSession, tool: Any) -> Tool:
    server, notes = session.server, tool.annotations
    schema = {
        name: part
        for name, part in {"properties": {}, **tool.input_schema}.items()
        if name not in ("additionalProperties", "title", "$schema")
    }
    described = Described(
        name=tool_name(f"{server.prefix}{tool.name}"),
        description=(tool.description or tool.title or "").strip(),
        parameters=schema,
        call=_caller(session, tool.name),
    )
    harmless = notes is not None and bool(notes.idempotent_hint or notes.read_only_hint)
    return Tool(described, needs_approval=tool.name in server.approve, idempotent=harmless)


def _caller(session: McpSession, tool: str) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        return session.call(tool, arguments)  # awaited by whoever takes the result

    return call
