"""Log-probabilities of given texts, from servers that echo a prompt with them (vLLM, llama.cpp and others)."""

import asyncio
from collections.abc import Sequence

import numpy as np

from .connection import Connection
from .errors import LLMNonsense
from .protocol import LogProbs


async def echoed(server: Connection, prompt: str, options: Sequence[str]) -> LogProbs:
    """Return log p(option | prompt), shape (n,), nats.

    Raises:
        LLMNonsense: The server does not echo them (LLMRefused, LLMUnavailable: it did not answer).
    """

    async def one(option: str) -> float:
        answer = await server.ask(
            lambda: server.client.completions.create(
                model=server.model,
                prompt=prompt + option,
                max_tokens=1,
                temperature=0.0,
                echo=True,
                logprobs=1,
            )
        )
        logprobs = getattr(server.choice(answer), "logprobs", None)
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
