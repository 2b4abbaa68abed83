"""Any OpenAI-compatible server: OpenAI, vLLM, Ollama, llama.cpp, `transformers serve`.

What Lichen asks of a model, in the words of chat completions. How requests are sent, and what a server refuses,
is known in `connection`; the form of messages in `wire`.
"""

from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np
from pydantic import BaseModel

from ...envs.errors import UsageError
from ...envs.tools import ToolSpec
from .catalog import cache_folder
from .connection import Connection, ServerConfig
from .echoed import echoed
from .errors import AnswerCut, LLMNonsense, LLMRefused, LLMUnavailable, RequestRefused
from .loading import LocalConfig
from .numbered import number_scores, numbered
from .probing import calls_tools, keeps_to_forms
from .protocol import LogProbs, Message, Schema, Usage
from .server_fingerprint import server_fingerprint
from .streaming import gathered
from .structured import ask_structured, is_object
from .talking import Abilities, OnText, Reply, Turn
from .wire import form_of, messages_of, reply_of, tools_of

__all__ = ["OpenAILLM", "ServerConfig", "open_openai"]

NOT_NAMED = -1000.0
"""Nats of an option that a model did not name, where all it says is which one it takes."""
MORE = 4
"""How many times the tokens an answer gets that was cut while the model thought; another one gets twice."""
_TOP = 20
"""Alternatives that are asked for at each token; the most that OpenAI gives."""


class OpenAILLM:
    """A frozen model behind an OpenAI-compatible server; it keeps `TalkingLLM`.

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
        self.name = model
        self.config = config or ServerConfig()
        self.usage = Usage()
        self._reserve = 0
        """Tokens that are added to what an answer may have: the model was seen to think before it."""
        self._server = Connection(
            model, self.config, self.usage, api_key=api_key, http_client=http_client
        )

    @property
    def where(self) -> str:
        """The server's URL, for sentences."""
        return self._server.where

    @property
    def scores_choices(self) -> bool:
        """Whether `choose` gives real log-probabilities; known after the first call."""
        return self._server.known.echo is not False

    async def abilities(self) -> Abilities:
        """Return what the model can do behind this server; see `TalkingLLM.abilities`."""
        known = self._server.known
        if known.tools is None or known.json_schema is None:
            tools = await calls_tools(self._reply)
            forms, scored = await keeps_to_forms(self._reply)
            found = {"tools": tools, "json_schema": forms, "top_logprobs": scored}
            lacks = [name for name, there in found.items() if not there]
            self._server.learn(
                self._server.known.model_copy(update=found),
                f"has no {', '.join(lacks)}: the next best way is used" if lacks else "",
            )
            known = self._server.known
        refused = set(known.refused)
        return Abilities(
            tools=known.tools is not False and "tools" not in refused,
            json_schema=known.json_schema is not False and "response_format" not in refused,
            top_logprobs=known.top_logprobs is not False and "top_logprobs" not in refused,
            seed="seed" not in refused,
            caching=known.caching,
        )

    async def reply(
        self,
        turns: Sequence[Turn],
        *,
        tools: Sequence[ToolSpec] = (),
        must_call: bool = False,
        form: type[BaseModel] | None = None,
        top_logprobs: int = 0,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> Reply:
        """Answer a conversation; see `TalkingLLM.reply`.

        An answer that was cut is asked for once more with more room; `on_text` is told it again then.
        """
        said: dict[str, Any] = {
            "tools": tools,
            "must_call": must_call,
            "form": form,
            "top_logprobs": top_logprobs,
            "temperature": temperature,
            "seed": seed,
            "on_text": on_text,
        }
        return await self._whole(turns, lambda made: False, max_tokens=max_tokens, **said)

    async def _whole(
        self,
        turns: Sequence[Turn],
        enough: Callable[[Reply], bool],
        *,
        max_tokens: int,
        **said: Any,
    ) -> Reply:
        """Return an answer that was not cut, or is enough as it is; asked for twice at most."""
        room = max_tokens + self._reserve
        made = await self._reply(turns, max_tokens=room, **said)
        if made.finish == "length" and not enough(made):
            more = room * (MORE if made.reasoning or not made.text else 2)
            made = await self._reply(turns, max_tokens=more, **said)
            if made.finish == "length" and not enough(made):
                raise AnswerCut(
                    f"the answer of {self.name} was cut at max_tokens={room}, and again at {more}",
                    said=made.text,
                )
            self._reserve = more - max_tokens
        return made

    async def _reply(
        self,
        turns: Sequence[Turn],
        *,
        tools: Sequence[ToolSpec] = (),
        must_call: bool = False,
        form: type[BaseModel] | None = None,
        top_logprobs: int = 0,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> Reply:
        body: dict[str, Any] = {
            "messages": messages_of(turns),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        if tools:
            body |= {
                "tools": tools_of(tools),
                "tool_choice": "required" if must_call else "auto",
            }
        if form is not None:
            body["response_format"] = form_of(form)
        if top_logprobs:
            body |= {"logprobs": True, "top_logprobs": top_logprobs}
        if on_text is not None and "stream" not in self._server.known.refused:
            choice = await gathered(self._server.stream(body), on_text)
            if choice is not None:
                return reply_of(choice, tools)  # else: a server that does not stream
        return reply_of(self._server.choice(await self._server.chat(body)), tools)

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
        client = self._server.client
        ends: dict[str, Any] = {"stop": list(stop)} if stop else {}
        answer = await self._server.ask(
            lambda: client.completions.create(
                model=self.name,
                prompt=prompt,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                **ends,
            )
        )
        text = self._server.choice(answer).text or ""
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
        options: dict[str, Any] = {"temperature": temperature, "seed": seed}
        if schema is None:
            made = await self._whole(
                _turns(messages), lambda made: bool(made.text), max_tokens=max_tokens, **options
            )
            return made.text or made.reasoning
        return await self._structured(messages, schema, max_tokens=max_tokens, **options)

    async def _structured(
        self,
        messages: Sequence[Message],
        schema: type[Schema],
        *,
        top: list[dict[str, float]] | None = None,
        **options: Any,
    ) -> Schema:
        """Return an object; `top` is filled with the log-probabilities of its text, where it is given."""
        # a repair turn is asked without the field: some servers answer nothing under it
        forms = [schema if self._server.known.json_schema is not False else None, None]

        async def ask(asked: Sequence[Message]) -> str:
            # the schema is in the conversation too: a server may take the field and ignore it
            made = await self._whole(
                _turns(asked),
                lambda made: is_object(made.text, schema),  # also when it goes on behind it
                form=forms.pop(0),
                top_logprobs=0 if top is None else _TOP,
                **options,
            )
            if top is not None:
                top[:] = made.top
            return made.text or made.reasoning

        return await ask_structured(ask, messages, schema)

    async def choose(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """Return log p(option | prompt), exact where the server echoes log-probabilities.

        Elsewhere the model is asked to name one option by its number (`scores_choices` is then False): its
        distribution over the numbers where the server tells the likeliest tokens, else 0 for the one it names
        and `NOT_NAMED` for the others.
        """
        if not options or not all(options):
            raise UsageError("choose needs at least one option, and none may be empty")
        known = self._server.known
        if known.echo is False:
            return await self._named(prompt, options)
        try:
            found = await echoed(self._server, prompt, options)
            self._server.learn(self._server.known.model_copy(update={"echo": True}))
            return found
        except (LLMRefused, RequestRefused, LLMNonsense, LLMUnavailable) as error:
            if known.echo:
                raise
            named: LogProbs | LLMNonsense
            try:
                named = await self._named(
                    prompt, options
                )  # raises, where it is not this way of asking
            except LLMNonsense as answered:
                named = answered
            self._server.learn(
                self._server.known.model_copy(update={"echo": False}),
                f"gives no log-probabilities of a given text ({error}): it is asked to name one action by "
                "its number, which says less than a score of each",
            )
            if isinstance(named, LLMNonsense):
                raise named from error
            return named

    async def _named(self, prompt: str, options: Sequence[str]) -> LogProbs:
        question, form = numbered(prompt, options)
        top: list[dict[str, float]] = []
        asked = [Message(role="user", content=question)]
        made: Any = await self._structured(asked, form, top=top, max_tokens=40)
        scores = np.full(len(options), NOT_NAMED)
        for number, score in (number_scores(top, len(options)) or {made.number: 0.0}).items():
            scores[number - 1] = score
        return scores

    async def fingerprint(self) -> str:
        """Return a hash over what the server says of the model; see `server_fingerprint`."""
        return await server_fingerprint(self._server)

    async def close(self) -> None:
        """Close the connections."""
        await self._server.close()


def _turns(messages: Sequence[Message]) -> list[Turn]:
    return [Turn(role=message.role, content=message.content) for message in messages]


def open_openai(name: str, *, base_url: str | None, local: LocalConfig) -> OpenAILLM:
    """Return a client of a model on a server; the backend of `openai:NAME`."""
    return OpenAILLM(name, ServerConfig(base_url=base_url, kept=cache_folder() / "servers.json"))
