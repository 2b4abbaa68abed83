"""The test of every transport: embeddings of plain words must give the greedy answer of the words as text.

It catches what no document says: a model that scales its embeddings (Gemma by the root of d), a server that
ignores the vectors, another template, another tokenization.
"""

from collections.abc import Callable, Sequence

import torch

from ....envs.errors import LichenError
from ...llm.errors import LLMUnavailable
from ..models import Frozen
from .protocol import Probe, Transport

QUESTIONS = (
    "What is the capital of France?",
    "Name three colours.",
    "Say what comes after this.",
)
WORDS = " Think of a river and say it."


async def probe(transport: Transport, llm: Frozen, *, max_tokens: int = 12) -> Probe:
    """Return whether a transport carries vectors faithfully.

    Args:
        transport: The way that is tested.
        llm: The same model at hand here: its tokenizer and its embeddings.
        max_tokens: Tokens of each answer.

    Raises:
        LLMUnavailable: The server does not answer at all: that says nothing of the transport.
    """

    def no(reason: str, compared: int = 0) -> Probe:
        return Probe(
            transport=transport.name, usable=False, reason=reason, compared=compared, d=llm.d
        )

    words = llm.ids(WORDS)
    with torch.inference_mode():
        table = llm.model.get_input_embeddings()
        soft = table(torch.tensor(words, device=llm.model.device)).float().cpu()
    try:
        for number, question in enumerate(QUESTIONS):
            theirs = await transport.answer(question, WORDS, max_tokens=max_tokens)
            ours = await transport.answer(question, soft, max_tokens=max_tokens)
            if ours != theirs:
                return no(
                    f"after {question!r} the words give {theirs!r}, their embeddings {ours!r}",
                    number,
                )
        # a server that drops the block would pass where the words change nothing: these vectors must
        noise = torch.randn(soft.shape, generator=torch.Generator().manual_seed(0))
        noise = torch.nn.functional.normalize(noise, dim=-1) * soft.norm(dim=-1, keepdim=True) * 3
        said = [await transport.answer(q, noise, max_tokens=max_tokens) for q in QUESTIONS]
        same = [await transport.answer(q, WORDS, max_tokens=max_tokens) for q in QUESTIONS]
    except LLMUnavailable:
        raise
    except LichenError as error:
        return no(str(error))
    if said == same:
        return no("quite other vectors change no answer: they are not read", len(QUESTIONS))
    return Probe(transport=transport.name, usable=True, compared=2 * len(QUESTIONS), d=llm.d)


async def first_usable(
    transports: Sequence[Transport], llm: Frozen, told: Callable[[Probe], None] | None = None
) -> tuple[Transport | None, list[Probe]]:
    """Return the first transport that passes its test, and all tests that were made.

    Args:
        transports: Best first.
        llm: The same model at hand here.
        told: Told of every test.
    """
    made: list[Probe] = []
    for transport in transports:
        found = await probe(transport, llm)
        made.append(found)
        if told is not None:
            told(found)
        if found.usable:
            return transport, made
    return None, made
