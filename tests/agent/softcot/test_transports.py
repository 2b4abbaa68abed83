"""One contract for every transport, over the real SmolLM2; and servers with a fault are found out."""

import io
from typing import Any

import pytest
import torch

from lichen.agent.llm.errors import LLMUnavailable
from lichen.agent.llm.openai_client import OpenAILLM, ServerConfig
from lichen.agent.softcot import SlotError
from lichen.agent.softcot.models import Frozen
from lichen.agent.softcot.transports.local import LocalTransport
from lichen.agent.softcot.transports.probe import first_usable, probe
from lichen.agent.softcot.transports.servers import SGLang, VLLMChat, VLLMCompletions
from lichen.agent.softcot.transports.verbal import VerbalTransport
from lichen.agent.softcot.transports.wire import decoded, encoded
from lichen.envs.errors import UsageError

SERVED = (VLLMChat, VLLMCompletions, SGLang)


def client(url: str) -> OpenAILLM:
    """A client that does not wait long."""
    return OpenAILLM("smollm2", ServerConfig(base_url=url, retries=0, timeout=60))


@pytest.mark.parametrize("kind", SERVED)
async def test_a_served_model_answers_soft_thoughts_as_the_local_one(
    frozen: Frozen, serve: Any, kind: Any
) -> None:
    drawn = torch.randn(4, frozen.d, generator=torch.Generator().manual_seed(3))
    soft = torch.nn.functional.normalize(drawn, dim=-1) * 3
    question = "Say <file_sep> something short."
    local = LocalTransport(frozen)
    with serve(frozen) as (url, server):
        transport = kind(client(url), frozen)
        found = await probe(transport, frozen)
        assert found.usable, found.reason
        for block in (soft, soft[:0], " a river", ""):
            if isinstance(block, str) and not block:
                continue
            ours = await transport.answer(question, block, max_tokens=8)
            assert ours == await local.answer(question, block, max_tokens=8)
    sent = [body for body in server.seen if "prompt_embeds" in str(body)[:4000]]
    assert sent or kind is SGLang


@pytest.mark.parametrize(
    ("kind", "fault", "said"),
    [
        (VLLMChat, "refuses", "not enabled"),
        (VLLMCompletions, "refuses", "not enabled"),
        (SGLang, "refuses", "not enabled"),
        (VLLMChat, "ignores", "their embeddings"),
        (VLLMChat, "scales", "their embeddings"),
        (VLLMChat, "old template", "their embeddings"),
    ],
)
async def test_a_server_with_a_fault_is_marked_unusable_with_the_reason(
    frozen: Frozen, serve: Any, kind: Any, fault: str, said: str
) -> None:
    with serve(frozen, fault) as (url, _):
        found = await probe(kind(client(url), frozen), frozen)
    assert not found.usable and said in found.reason


async def test_the_first_way_that_works_is_taken_and_an_outage_is_no_verdict(
    frozen: Frozen, serve: Any
) -> None:
    with serve(frozen, "ignores") as (url, _):
        ways = [kind(client(url), frozen) for kind in SERVED]
        chosen, made = await first_usable(ways, frozen)
    assert chosen is ways[1] and [p.usable for p in made] == [False, True]
    with pytest.raises(LLMUnavailable):
        await probe(ways[0], frozen)


async def test_the_verbal_hint_reaches_any_client(frozen: Frozen, serve: Any) -> None:
    with serve(frozen) as (url, server):
        verbal = VerbalTransport(client(url))
        await verbal.answer("Which way?", "north gate", max_tokens=2)
    assert server.seen[0]["messages"][0]["content"] == "Which way?\nHere are prompts: north gate"
    with pytest.raises(SlotError, match="words"):
        await verbal.answer("Which way?", torch.zeros(1, 4))


def test_vectors_survive_the_wire_and_what_is_none_is_refused() -> None:
    vectors = torch.randn(3, 5, dtype=torch.bfloat16)
    assert torch.equal(decoded(encoded(vectors), 5), vectors)

    def saved(value: object) -> str:
        buffer = io.BytesIO()
        torch.save(value, buffer)
        import base64

        return base64.b64encode(buffer.getvalue()).decode()

    for wrong, said in (
        ("no base64!", "no base64"),
        (encoded(vectors)[:-40], "."),
        (encoded(torch.zeros(3, 4)), "shape"),
        (saved(torch.zeros(3, 5).to_sparse()), "dense"),
        (saved(torch.zeros(3, 5, dtype=torch.int64)), "floating"),
        (saved({"a": 1}), "dense tensor"),
        (saved(pytest.raises), "something else"),
    ):
        with pytest.raises(UsageError, match=said):
            decoded(wrong, 5)
