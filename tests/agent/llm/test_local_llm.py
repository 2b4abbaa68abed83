"""The local client: generation, fingerprint, and what it refuses."""

import pytest

from lichen.agent.llm import Message
from lichen.agent.llm.errors import LLMRefused
from lichen.agent.llm.local_llm import LocalLLM
from lichen.envs import UsageError

PROMPT = "Goal: take the coin.\nYou are in the pantry. You see a coin.\nGood action:"


async def test_options_must_be_there(smollm2: LocalLLM) -> None:
    with pytest.raises(UsageError):
        await smollm2.choose(PROMPT, [])
    with pytest.raises(UsageError):
        await smollm2.choose(PROMPT, ["a", ""])


async def test_generation_is_the_same_for_the_same_seed_and_stops_where_told(
    smollm2: LocalLLM,
) -> None:
    greedy = await smollm2.complete("The capital of France is", max_tokens=6)
    assert "Paris" in greedy
    assert "." not in await smollm2.complete("The capital of France is", max_tokens=12, stop=["."])
    hot = [
        await smollm2.complete("Once", max_tokens=8, temperature=1.5, seed=seed)
        for seed in (1, 1, 2)
    ]
    assert hot[0] == hot[1] != hot[2]
    answer = await smollm2.chat(
        [Message(role="user", content="Name the capital of France.")], max_tokens=12
    )
    assert "Paris" in answer


async def test_the_fingerprint_notices_one_changed_weight(smollm2: LocalLLM) -> None:
    import torch

    model, _ = smollm2._parts()
    first = await smollm2.fingerprint()
    weight = model.model.layers[3].mlp.up_proj.weight
    with torch.no_grad():
        kept = weight[0, 0].clone()
        weight[0, 0] += 1e-3
        changed = await smollm2.fingerprint()
        weight[0, 0] = kept
    assert changed != first == await smollm2.fingerprint()


async def test_a_prompt_that_is_too_long_is_refused_and_not_cut(smollm2: LocalLLM) -> None:
    model, _ = smollm2._parts()
    most = model.config.max_position_embeddings
    with pytest.raises(LLMRefused, match=f"takes {most}"):
        await smollm2.choose("word " * (most + 1), [" a"])
