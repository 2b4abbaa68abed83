"""Which MCP servers an agent uses, as the settings say it. It imports nothing of MCP."""

from pydantic import Field, field_serializer, model_validator

from ....envs.types import Record
from ...llm.known_servers import bare_url


class McpServer(Record):
    """One server: a command that speaks over its standard streams, or an address."""

    command: str = ""
    """A program, begun with `args` at first use; it sees a few harmless variables and `env`."""
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict)
    cwd: str | None = None
    url: str = ""
    """Of a server that speaks streamable HTTP, in the place of a command."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent to the address."""
    tools: tuple[str, ...] | None = None
    """Only these of its tools; None: all."""
    approve: tuple[str, ...] = ()
    """Tools of which a person is asked before each call."""
    prefix: str = ""
    """Before the names of its tools, where two servers have tools of one name."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds that a call may take."""

    @model_validator(mode="after")
    def _one_way(self) -> "McpServer":
        if bool(self.command) == bool(self.url):
            raise ValueError("an MCP server has a command or a url, and not both")
        return self

    @field_serializer("env", "headers", when_used="json")
    def _names(self, held: dict[str, str]) -> dict[str, str]:
        """Write names alone down: values may be secrets, and a ledger is exported and shown."""
        return dict.fromkeys(held, "")

    @field_serializer("args", when_used="json")
    def _none(self, held: tuple[str, ...]) -> list[str]:
        """Write nothing down of what may hold a secret."""
        return []

    @field_serializer("url", when_used="json")
    def _bare(self, url: str) -> str:
        return bare_url(url) if url else url
