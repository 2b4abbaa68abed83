"""One model behind one server: requests with what it does not take left out, counted, errors in sentences.

The official async client does the talking, the time-outs and the retries with back-off on 429 (as Retry-After
says) and 5xx. What a server refuses is left out from then on, and remembered (see `known_servers`).
"""

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field

from ...envs.types import Record
from .errors import LLMNonsense
from .known_servers import Known, KnownServers, bare_url
from .loop_clients import LoopClients
from .metering import note_usage
from .protocol import Usage
from .refusals import fitted, refused_part
from .server_errors import Sender, as_lichen, client_errors, of_status

_log = logging.getLogger(__name__)
T = TypeVar("T")

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class ServerConfig(Record):
    """How a server is talked to."""

    base_url: str | None = None
    """`https://host/v1`; OpenAI's own when None."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds for one try."""
    retries: int = Field(default=4, ge=0)
    """Tries after the first, with exponential back-off, on 429, 5xx, and broken connections."""
    kept: Path | None = None
    """File in which is kept what was found out about servers; None: in this process only."""


class Connection:
    """A connection to a model's server.

    Args:
        model: The model's id on the server.
        config: URL, time-out, retries.
        usage: What is counted.
        api_key: Of the server; $LICHEN_API_KEY, then $OPENAI_API_KEY when None (local servers need none).
        http_client: Passed to the client, for tests.
    """

    def __init__(
        self,
        model: str,
        config: ServerConfig,
        usage: Usage,
        *,
        api_key: str | None = None,
        http_client: Any = None,
    ) -> None:
        self.model, self.usage = model, usage
        key = api_key or os.environ.get("LICHEN_API_KEY") or os.environ.get("OPENAI_API_KEY")
        self._clients = LoopClients(
            lambda: _client(key or "none", config, http_client), shared=http_client is not None
        )
        self._servers = KnownServers(config.kept)
        self.known = self._servers.get(self.where, model)
        self._asked = Sender(self.where, model, config.timeout, config.retries, key or "")

    @property
    def client(self) -> "AsyncOpenAI":
        """The official client, for the event loop that runs here."""
        return self._clients.now()

    async def close(self) -> None:
        """Close it."""
        await self._clients.close()

    @property
    def where(self) -> str:
        """The server's URL, for sentences: without user, password and query."""
        return bare_url(str(self.client.base_url))

    def learn(self, known: Known, said: str = "") -> None:
        """Keep what was found out, and say it once."""
        if known != self.known:
            self.known = known
            self._servers.put(self.where, self.model, known)
            if said:
                _log.warning("%s behind %s %s", self.model, self.where, said)

    async def chat(self, body: dict[str, Any]) -> Any:
        """Return the answer to a request of chat completions; what is refused is left out and kept in mind.

        Raises:
            LLMUnavailable: No answer (LLMRefused, PromptRefused, ContextOverflow, LLMNonsense: see there).
        """
        return await self._fitted(
            body, lambda sent: self.client.chat.completions.create(model=self.model, **sent)
        )

    async def stream(self, body: dict[str, Any]) -> AsyncIterator[Any]:
        """Yield the chunks of a streamed answer; errors as of `chat`."""
        extra = {"stream": True, "stream_options": {"include_usage": True}}
        chunks = await self._fitted(
            {**body, **extra},
            lambda sent: self.client.chat.completions.create(model=self.model, **sent),
        )
        if not hasattr(chunks, "__aiter__"):
            return  # it does not stream, and said so
        try:
            async for chunk in chunks:
                self._count(getattr(chunk, "usage", None))
                yield chunk
        except client_errors() as error:
            raise as_lichen(error, self._asked) from error

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make one request of another kind; counted, errors as of `chat`."""
        with self.usage.timed():
            try:
                answer = await call()
            except client_errors() as error:
                raise as_lichen(error, self._asked) from error
        return self._seen(answer)

    async def _fitted(
        self, body: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[Any]]
    ) -> Any:
        with self.usage.timed():
            pending = self.known
            while True:
                sent = fitted(body, pending.refused)
                try:
                    answer = await send(sent)
                    break
                except client_errors() as error:
                    refused = refused_part(error, sent)
                    if not refused or refused in pending.refused:
                        raise as_lichen(error, self._asked) from error
                    pending = pending.without(refused)
        new = [name for name in pending.refused if name not in self.known.refused]
        if new:
            self.learn(pending, f"takes no {', '.join(new)}: the next best way is used")
        return self._seen(answer)

    def _seen(self, answer: T) -> T:
        self._said_well(answer)
        self._count(getattr(answer, "usage", None))
        return answer

    def _said_well(self, part: Any) -> None:
        """Raise what an error inside an answer, or inside one of its choices, means."""
        if error := getattr(part, "error", None):
            raise of_status(200, {"error": error}, str(error), self._asked)

    def _count(self, used: Any) -> None:
        cached = _number(getattr(used, "prompt_tokens_details", None), "cached_tokens")
        written = getattr(used, "completion_tokens_details", None)
        said = Usage(
            tokens_in=_number(used, "prompt_tokens"),
            tokens_out=_number(used, "completion_tokens"),
            cached=cached,
            reasoning=_number(written, "reasoning_tokens"),
        )
        self.usage.add(said)
        note_usage(said)
        if cached and not self.known.caching:
            self.learn(self.known.model_copy(update={"caching": True}))

    def choice(self, answer: Any) -> Any:
        """Return the first choice of an answer.

        Raises:
            LLMNonsense: There is none.
        """
        choices = getattr(answer, "choices", None)
        if not choices:
            said = f": {' '.join(answer.split())[:120]!r}" if isinstance(answer, str) else ""
            raise LLMNonsense(
                f"the server {self.where} answered without choices{said}",
                hint="Check --base-url: it usually ends in /v1.",
            )
        self._said_well(choices[0])
        return choices[0]


def _number(used: Any, name: str) -> int:
    """Return a count of an answer; what is no whole number counts for nothing."""
    count = getattr(used, name, 0)
    return count if isinstance(count, int) else 0


def _client(key: str, config: ServerConfig, http_client: Any) -> "AsyncOpenAI":
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    return AsyncOpenAI(
        api_key=key,
        base_url=config.base_url,
        timeout=config.timeout,
        max_retries=config.retries,
        # its own default closes itself when it is collected, in whatever loop runs then
        http_client=http_client or DefaultAsyncHttpxClient(timeout=config.timeout),
    )
