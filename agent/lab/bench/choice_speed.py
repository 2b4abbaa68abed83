"""`lichen bench choose`: one pass over the options' trie with a shared cache, and the naive way.

Both sides score the same admissible actions at the same decision points of one real episode, alternating;
the naive side runs the full prompt with every option, batched with padding.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....envs.registry import make
from ....memory.ledger.records import State
from ....memory.likeness.states import state_of
from ...acting.scoring_voice import act_prompt
from ...llm.local_llm import LocalLLM
from ...llm.protocol import LogProbs
from ..kernel.timings import percentiles
from .machine import machine, version

TASK = "twx/mapreader/dev/3"
BAR = 5.0
TOLERANCE = 1e-4
BATCH = 8
"""Options in one forward pass of the naive side; larger batches were not faster on two cores."""


def bench_choose(*, steps: int = 20, model: str = "smollm2-135m", seed: int = 0) -> dict[str, Any]:
    """Measure both sides and return the table.

    Args:
        steps: Decision points, along one episode of random admissible actions.
        model: A local model.
        seed: Of the walk.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds", "max_difference"}`; `holds` says whether
        the ratio of the seconds is at least 5 and all scores agree to 1e-4.
    """
    return asyncio.run(_measure(decisions(steps, seed), model))


def decisions(steps: int, seed: int) -> list[tuple[str, list[str]]]:
    """Return prompts with their options along an episode of random admissible actions."""
    rng = np.random.default_rng(seed)
    environment = make("twx")
    environment.max_steps = steps + 1
    found: list[tuple[str, list[str]]] = []
    history: list[tuple[str, str]] = []
    seen = environment.reset(TASK)
    try:
        while len(found) < steps:
            actions = list(seen.admissible or ())
            state: State = state_of(seen, [action for action, _ in history])
            prompt = act_prompt(state, (), history)
            found.append((prompt, [f" {action}\n" for action in actions]))
            action = actions[int(rng.integers(len(actions)))]
            done = environment.step(action)
            history.append((action, done.observation.text))
            seen = done.observation
            if done.terminated or done.truncated:
                seen, history = environment.reset(TASK), []
    finally:
        environment.close()
    return found


async def _measure(decisions: Sequence[tuple[str, list[str]]], model: str) -> dict[str, Any]:
    llm = LocalLLM(model)
    await llm.choose("warm", [" up\n"])
    loaded, tokenizer = llm._parts()
    ours, naive, differences = [], [], []
    for prompt, options in decisions:
        start = time.perf_counter()
        fast = await llm.choose(prompt, options)
        middle = time.perf_counter()
        slow = score_naively(loaded, tokenizer, prompt, options)
        ours.append(middle - start)
        naive.append(time.perf_counter() - middle)
        differences.append(float(np.abs(fast - slow).max()))
    await llm.close()
    ratio, worst = sum(naive) / sum(ours), max(differences)
    return {
        "bench": "choose",
        "version": version(),
        "machine": machine(),
        "rows": [
            timed_row("Lichen: trie, shared cache", ours),
            timed_row("naive: prompt + option, batched", naive),
        ],
        "ratio": ratio,
        "max_difference": worst,
        "holds": ratio >= BAR and worst < TOLERANCE,
    }


def score_naively(model: Any, tokenizer: Any, prompt: str, options: Sequence[str]) -> LogProbs:
    """Return log p(option | prompt) the plain way: every option behind the whole prompt, shape (n,)."""
    import torch

    head = tokenizer(prompt).input_ids
    tails = [tokenizer(option, add_special_tokens=False).input_ids for option in options]
    found: list[float] = []
    for first in range(0, len(tails), BATCH):
        part = tails[first : first + BATCH]
        longest = max(map(len, part))
        ids = torch.tensor([head + tail + [0] * (longest - len(tail)) for tail in part])
        with torch.inference_mode():  # padding is on the right: no real token sees it
            logits = model(ids, use_cache=False).logits[:, len(head) - 1 :].float()
        table = torch.log_softmax(logits, dim=-1)
        for row, tail in enumerate(part):
            found.append(float(sum(table[row, i, token].item() for i, token in enumerate(tail))))
    return np.asarray(found, np.float64)


def timed_row(what: str, seconds: Sequence[float]) -> dict[str, Any]:
    """Return a row of the table: n, median and 95th percentile in ms, and the sum in seconds."""
    milli = np.asarray(seconds) * 1000
    p50, p95 = percentiles(milli, digits=2)
    return {
        "what": what,
        "n": len(milli),
        "p50_ms": p50,
        "p95_ms": p95,
        "seconds": round(float(milli.sum() / 1000), 3),
    }
