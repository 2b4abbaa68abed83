"""Exact choice: one pass over the options equals scoring each by itself, and prompts share their cache."""

import numpy as np
import pytest

from lichen.agent.lab.bench.choice_speed import score_naively
from lichen.agent.llm.local_llm import LocalLLM

PROMPT = "Goal: take the coin.\nYou are in the pantry. You see a coin.\nGood action:"
OPTIONS = [
    " take coin\n",
    " take coin from box\n",
    " move north\n",
    " take",
    " look\n",
    " take coin\n",
    " größe ☂\n",
]
LATER = PROMPT + " take coin\nYou take the coin.\nGood action:"


@pytest.mark.parametrize("prompt", [PROMPT, LATER, "Something else.", PROMPT, LATER + " x", ""])
async def test_one_pass_over_the_trie_equals_scoring_each_option_by_itself(
    smollm2: LocalLLM, prompt: str
) -> None:
    found = await smollm2.choose(prompt, OPTIONS)
    model, tokenizer = smollm2._parts()
    start = prompt or tokenizer.decode([tokenizer.bos_token_id])
    assert np.abs(found - score_naively(model, tokenizer, start, OPTIONS)).max() < 1e-4
    assert found[0] == pytest.approx(found[5])


async def test_the_shared_beginning_of_a_prompt_is_computed_once(smollm2: LocalLLM) -> None:
    await smollm2.choose(PROMPT, OPTIONS)
    before = smollm2.usage.copy()
    await smollm2.choose(LATER, [" look\n"])
    used = smollm2.usage.minus(before)
    assert used.calls == 1
    assert 0 < used.tokens_in < 20 < len(smollm2._ids(LATER))
