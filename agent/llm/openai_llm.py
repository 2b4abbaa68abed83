"""Any OpenAI-compatible server: OpenAI, vLLM, Ollama, llama.cpp, `transformers serve`.

The official async client does the talking, the time-outs and the retries with back-off on 429 and 5xx;
this file turns its errors into sentences and finds out what the server can do.
"""

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeVar, overload

import numpy as np
from pydantic import Field, create_model

from ...envs.errors import UsageError
from ...envs.types import Record
from .errors import LLMNonsense, LLMRefused, LLMUnavailable
from .loading import LocalConfig
from .protocol import LogProbs, Message, Schema, Usage
from .structured import ask_structured

_log = logging.getLogger(__name__)
T = TypeVar("T")
Scoring = Literal["unknown", "echo", "choice"]

SURE = 0.9
"""Probability that a structured choice gives to the option the model named; the others share the rest."""


class ServerConfig(Record):
    """How a server is talked to."""

    base_url: str | None = None
    """`https://host/v1`; OpenAI's own when None."""
    timeout: float = Field(default=60.0, gt=0)
    """Seconds for one try."""
    retries: int = Field(default=4, ge=0)
    """Tries after the first, with exponential back-off, on 429, 5xx, and broken connections."""


class OpenAILLM:
    """A frozen model behind an OpenAI-compatible server.

    Args:
        model: The model's id on the server.
        config: URL, time-out, retries.
        api_key: Of the server; $LICHEN_API_KEY, then $OPENAI_API_KEY when None (local servers need none).
        http_client: Passed to the client, for tests.
    """

    def __init__(
        self,
        model: str,
        config: ServerConfig | None = None,
        *,
        api_key: str | None = None,
        http_client: Any = None,
    ) -> None:
        from openai import AsyncOpenAI

        self.name = model
        self.config = config or ServerConfig()
        self.usage = Usage()
        self._scoring: Scoring = "unknown"
        self._json_mode = True
        key = api_key or os.environ.get("LICHEN_API_KEY") or os.environ.get("OPENAI_API_KEY")
        self._client = AsyncOpenAI(
            api_key=key or "none",
            base_url=self.config.base_url,
            timeout=self.config.timeout,
            max_retries=self.config.retries,
            http_client=http_client,
        )

    @property
    def scores_choices(self) -> bool:
        """Whether `choose` gives real log-probabilities; known after the first call."""
        return self._scoring != "choice"

    @property
    def where(self) -> str:
        """The server's URL, for sentences."""
        return str(self._client.base_url)

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make one request; count it, and turn what goes wrong into one sentence."""
        import openai

        with self.usage.timed():
            try:
                answer = await call()
            except openai.APITimeoutError as error:
                raise LLMUnavailable(
                    f"the server {self.where} did not answer within {self.config.timeout:g} s"
                ) from error
            except openai.APIConnectionError as error:
                raise LLMUnavailable(f"the server {self.where} cannot be reached") from error
            except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
                raise LLMRefused(
                    f"the server {self.where} refused the key (HTTP {error.status_code})",
                    hint="Set LICHEN_API_KEY (or OPENAI_API_KEY) to a key of that server.",
                ) from error
            except openai.NotFoundError as error:
                raise LLMRefused(
                    f"the server {self.where} knows no model {self.name!r}, or the URL is wrong (HTTP 404)",
                    hint="Check --model and --base-url (it usually ends in /v1).",
                ) from error
            except (openai.RateLimitError, openai.InternalServerError) as error:
                raise LLMUnavailable(
                    f"the server {self.where} is overloaded or broken (HTTP {error.status_code}), also "
                    f"after {self.config.retries} retries"
                ) from error
            except openai.APIStatusError as error:
                raise LLMRefused(
                    f"the server {self.where} refused the request (HTTP {error.status_code}): "
                    f"{_first_line(error.message)}"
                ) from error
            except (openai.APIError, json.JSONDecodeError) as error:
                raise LLMNonsense(
                    f"the server {self.where} answered with something that is no API answer",
                    hint="Check --base-url: it usually ends in /v1.",
                ) from error
        used = getattr(answer, "usage", None)
        self.usage.tokens_in += getattr(used, "prompt_tokens", 0) or 0
        self.usage.tokens_out += getattr(used, "completion_tokens", 0) or 0
        return answer

    def _choice(self, answer: Any) -> Any:
        """Return the first choice of an answer, or complain that there is none."""
        choices = getattr(answer, "choices", None)
        if not choices:
            raise LLMNonsense(
                f"the server {self.where} answered without a choice",
                hint="Check --base-url: it usually ends in /v1.",
            )
        return choices[0]

    async def complete(
        self,
        prompt: str,
        *,
        max_tokens: int = 128,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        seed: int = 0,
    ) -> str:
        """Continue a raw prompt; see `FrozenLLM.complete`."""
        answer = await self._ask(
            lambda: self._client.completions.create(
                model=self.name,
                prompt=prompt,
                max_tokens=max_tokens,
                temperature=temperature,
                stop=list(stop) or None,
                seed=seed,
            )
        )
        text = self._choice(answer).text or ""
        for end in stop:
            text = text.split(end, 1)[0]
        return str(text)

    @overload
    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str: ...

    @overload
    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: type[Schema],
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Schema: ...

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: type[Schema] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str | Schema:
        """Answer a conversation; see `FrozenLLM.chat`."""

        async def ask(turns: Sequence[Message], form: Any = None) -> str:
            extra = {} if form is None else {"response_format": form}
            answer = await self._ask(
                lambda: self._client.chat.completions.create(
                    model=self.name,
                    messages=[m.model_dump() for m in turns],  # type: ignore[misc]
                    max_tokens=max_tokens,
                    temperature=temperature,
                    seed=seed,
                    **extra,
                )
            )
            return str(self._choice(answer).message.content or "")

        if schema is None:
            return await ask(messages)
        form = {
            "type": "json_schema",
            "json_schema": {"name": schema.__name__, "schema": schema.model_json_schema()},
        }
        if self._json_mode:
            try:
                # the schema is in the conversation too: a server may take the field and ignore it
                return await ask_structured(lambda turns: ask(turns, form), messages, schema)
            except LLMRefused:
                self._json_mode = False
        return await ask_structured(ask, messages, schema)

    async def choose(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """Return log p(option | prompt), exact where the server echoes log-probabilities.

        Elsewhere the model is asked to name one option by number (`scores_choices` is then False), and the
        distribution says no more than that.
        """
        if not options or not all(options):
            raise UsageError("choose needs at least one option, and none may be empty")
        if self._scoring != "choice":
            try:
                found = await self._echoed(prompt, options)
                self._scoring = "echo"
                return found
            except (LLMRefused, LLMNonsense):
                if self._scoring == "echo":
                    raise
                self._scoring = "choice"
                _log.warning(
                    "%s gives no log-probabilities of a given text: %s is asked to name one action by its "
                    "number, which says less than a score of each",
                    self.where,
                    self.name,
                )
        return await self._named(prompt, options)

    async def _echoed(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """Score prompt + option with `echo` and `logprobs` (vLLM, llama.cpp and others give them)."""

        async def one(option: str) -> float:
            answer = await self._ask(
                lambda: self._client.completions.create(
                    model=self.name,
                    prompt=prompt + option,
                    max_tokens=1,
                    temperature=0.0,
                    echo=True,
                    logprobs=1,
                )
            )
            logprobs = getattr(self._choice(answer), "logprobs", None)
            offsets = getattr(logprobs, "text_offset", None)
            values = getattr(logprobs, "token_logprobs", None)
            if not offsets or not values:
                raise LLMNonsense("the server echoes no log-probabilities")
            begin, end = len(prompt), len(prompt) + len(option)
            inside = [v for o, v in zip(offsets, values, strict=False) if begin <= o < end]
            if not inside or any(v is None for v in inside):
                raise LLMNonsense("the server echoes no log-probabilities of the option")
            return float(sum(inside))

        first = await one(options[0])  # one probe before many requests
        rest = await asyncio.gather(*(one(option) for option in options[1:]))
        return np.array([first, *rest], np.float64)

    async def _named(self, prompt: str, options: Sequence[str]) -> LogProbs:
        listed = "\n".join(f"{i}. {option.strip()}" for i, option in enumerate(options, start=1))
        choice = create_model(
            "Choice",
            number=(int, Field(ge=1, le=len(options), description="number of the option")),
        )
        question = (
            f"{prompt.strip()}\n\nWhich of these comes next?\n{listed}\nName it by its number."
        )
        made: Any = await self.chat(
            [Message(role="user", content=question)], schema=choice, max_tokens=40
        )
        chances = np.full(len(options), (1 - SURE) / max(1, len(options) - 1))
        chances[made.number - 1] = SURE if len(options) > 1 else 1.0
        logs: LogProbs = np.log(chances)
        return logs

    async def fingerprint(self) -> str:
        """Return a hash over what the server says of the model: its id, owner and date.

        A server cannot be looked into: this notices another model under the name, not other weights.
        """
        listed = await self._ask(lambda: self._client.models.list())
        entries = getattr(listed, "data", None) or []
        found = [m for m in entries if getattr(m, "id", None) == self.name]
        said = sorted(
            f"{m.id} {getattr(m, 'owned_by', '')} {getattr(m, 'created', '')}" for m in found
        )
        return hashlib.sha256("\0".join([self.name, *said]).encode()).hexdigest()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _first_line(text: str) -> str:
    return (text.splitlines() or [""])[0][:300]


def open_openai(name: str, *, base_url: str | None, local: LocalConfig) -> OpenAILLM:
    """Return a client of a model on a server; the backend of `openai:NAME`."""
    return OpenAILLM(name, ServerConfig(base_url=base_url))
