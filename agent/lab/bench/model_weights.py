"""What a model's word is worth, measured: the weights of the channels over several suites become its prior.

In each suite the model is asked along demonstrations, with the others in memory, and the weights are fitted
from a prior that knows nothing of it. The mean over the suites is what is expected elsewhere, their spread how
firmly.
"""

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....envs.suite import Suite
from ....memory.credit.channel_weights import (
    CHANNELS,
    MODEL,
    ChannelWeights,
    WeightPrior,
    fit,
)
from ....memory.kinds.channel_module import ChannelModule
from ....memory.recall.case_memory import CaseMemory
from ....memory.store.demonstrations import from_gold, import_demonstrations
from ...acting.priors import NO_MODEL, UNKNOWN
from ...config import load_config
from ...open_agent import OpenAgent
from ...weighing import learn_weights
from .machine import machine, version

FIRMEST = 0.25
"""Least spread of a weight, as a share of it: a few suites do not tell of all others."""


def bench_weights(
    suites: Sequence[Suite],
    *,
    model: str,
    demonstrations: int,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Measure and return the table, with the prior that comes of it.

    Args:
        suites: Whose train tasks are demonstrated.
        model: As the settings name it.
        demonstrations: Of each suite.
        seed: Of the choice of tasks and decisions.
        say: Told what is going on.
    """
    rows: list[dict[str, Any]] = []
    found: list[ChannelWeights] = []
    for suite in suites:
        weights = _of_suite(suite, model=model, demonstrations=demonstrations, seed=seed)
        found.append(weights)
        say(f"{suite.name}: first choice right in {weights.right} of {weights.known}")
        rows.append({"what": suite.name, "n": weights.known, **weights.model_dump()})
    return {
        "bench": "weights",
        "version": version(),
        "machine": machine(),
        "model": model,
        "rows": rows,
        "prior": pooled(found, names=[suite.name for suite in suites]).model_dump(),
        "ratio": None,
        "holds": True,
    }


def _of_suite(suite: Suite, *, model: str, demonstrations: int, seed: int) -> ChannelWeights:
    with (
        tempfile.TemporaryDirectory() as folder,
        OpenAgent(load_config(store=folder, embedder="hashing", model=model, seed=seed)) as agent,
    ):
        environment = agent.environment(suite)
        ids = suite.task_ids("train", None, seed, environment)[:demonstrations]
        import_demonstrations(agent.store, from_gold(environment, ids), run="weights")
        memory = CaseMemory(agent.store, agent.config.retriever)
        name = agent.wait(agent.fingerprint(True))
        agent.wait(learn_weights(agent, environment, memory, llm=name, run="weights"))
        known = agent.store.module(ChannelModule).of(env=environment.name, llm=name)
        return fit(UNKNOWN, [one.decision for one in known], gate=False)


def pooled(found: Sequence[ChannelWeights], *, names: Sequence[str]) -> WeightPrior:
    """Return the prior of a model: its two weights over suites; the other channels are not its own."""
    table = np.array([weights.vector for weights in found])
    mean, spread = NO_MODEL.mean.vector, np.array(NO_MODEL.spread)
    mean[:MODEL] = table.mean(axis=0)[:MODEL]
    spread[:MODEL] = np.maximum(table.std(axis=0), FIRMEST * np.maximum(mean, 0.2))[:MODEL]
    known = sum(weights.known for weights in found)
    right = sum(weights.right for weights in found)
    helped = sum(weights.right_with_memory for weights in found) > right
    return WeightPrior(
        mean=ChannelWeights(
            **dict(zip(CHANNELS, (round(float(x), 3) for x in mean), strict=True)),  # type: ignore[arg-type]
        ),
        spread=tuple(round(float(x), 3) for x in spread),
        measured=helped,
        source=f"first choice right in {right} of {known} known decisions of {', '.join(names)}",
    )
