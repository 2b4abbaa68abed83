"""Training steps of a projection with and without the caches of what never changes, in one run."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernel.timings import percentiles
from .machine import machine, version

BAR = 3.0
"""How many times faster a step with the caches must be."""
TOLERANCE = 1e-3
"""Largest difference of a loss between the two ways, in nats a token."""


def bench_softcot(
    *, source: str, examples: int, steps: int, model: str, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Return the time of training steps both ways, step by step in turns.

    Args:
        source: As for training; see `sources.open_source`.
        examples: Questions to train from.
        steps: Steps that are measured.
        model: The frozen LLM, and the assistant.
        seed: Of the order, the numbers of thoughts and the initial weights.
        say: Told what goes on.
    """
    from ...config import load_config
    from ...llm.frozen import open_frozen
    from ...softcot.example_rows import row_of
    from ...softcot.soft_assistant import SoftAssistant
    from ...softcot.soft_config import TrainConfig
    from ...softcot.sources import open_source
    from ...softcot.train import Trainer

    frozen = open_frozen(model)
    settings = load_config(seed=seed)
    questions = open_source(source, settings, examples=examples, held_out=0).learned
    config = TrainConfig(epochs=max(1, steps))
    kept, bare = (
        Trainer(
            SoftAssistant(frozen, keep=keep),
            frozen,
            questions,
            config=config.model_copy(update={"prompt_cache": keep}),
            seed=seed,
        )
        for keep in (True, False)
    )
    say(f"filling the caches for {examples} questions")
    clock = time.perf_counter()
    for n in config.n:
        kept.assistant.states([q.assistant_sees for q in questions], n)
    for question in questions:
        kept.reader.keep_prefix(row_of(kept.reader, question, config.n[0]).prompt)
    filling = time.perf_counter() - clock
    fast, slow, differences = [], [], []
    for number in range(steps):
        clock = time.perf_counter()
        ours = kept.step()
        middle = time.perf_counter()
        theirs = bare.step()
        slow.append(time.perf_counter() - middle)
        fast.append(middle - clock)
        differences.append(abs(ours - theirs))
        say(f"step {number + 1}/{steps}: {fast[-1]:.2f} s and {slow[-1]:.2f} s")
    ratio, worst = float(np.sum(slow) / np.sum(fast)), max(differences)
    saved = float(np.mean(slow) - np.mean(fast))
    return {
        "bench": "softcot",
        "version": version(),
        "machine": machine(),
        "rows": [_row("with both caches", fast), _row("without", slow)],
        "filling_s": round(filling, 3),
        "pays_after_steps": round(filling / saved, 1) if saved > 0 else None,
        "ratio": ratio,
        "max_difference": worst,
        "holds": ratio >= BAR and worst < TOLERANCE,
    }


def _row(what: str, seconds: list[float]) -> dict[str, Any]:
    milli = np.asarray(seconds) * 1000
    p50, p95 = percentiles(milli, digits=2)
    return {
        "what": what,
        "n": len(milli),
        "p50_ms": p50,
        "p95_ms": p95,
        "steps_per_s": round(float(len(milli) / milli.sum() * 1000), 3),
    }
