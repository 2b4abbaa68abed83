"""The run of a stream: every arm learns stage after stage, and after each is asked on all families.

What is finished is a file of its own in the folder, written whole, so the same call goes on after an
interruption and comes to the same numbers.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ....envs.types import Record
from ....memory.ledger.lock import claim
from ...acting.policy import Policy
from ...acting.priors import prior_of
from ...acting.situation import situation
from ...llm.errors import check_fingerprint
from ...talking.open_voice import open_voice
from ..kernel.cells import named
from ..kernel.identity import LLM, identity_file
from ..kernel.reports import begin_anew
from ..kernel.rows import ResultFolder
from .learner import Drift, Learner, StageLearned, StreamSetting
from .stream import GoldDecision

IDENTITY, RESULTS = "continual.json", "results"
LORA = ("lora-gold", "lora-self")
"""What the arm `lora` means."""
ARMS = ("none", "memory", "softcot", *LORA)
KIND = "arm of `lichen continual`"
Told = Callable[[str, int, int], None]
"""Told of an arm, how many decisions of its run are made, and of how many."""


class StageResult(Record):
    """One arm after one stage; stage 0 is before learning."""

    arm: str
    stage: int
    chosen: tuple[tuple[str, ...], ...]
    """The action taken in every held-out decision, by family."""
    learned: StageLearned | None
    drift: Drift
    weights: int
    """How many numbers gradients change."""
    tokens: int
    """That went through a model for the decisions."""
    seconds: float


def find_arms(names: Sequence[str]) -> tuple[str, ...]:
    """Return the arms of these names, `none` first: it is the base that all are compared with.

    Raises:
        UnknownName: There is no such arm.
        MissingExtra: LoRA is asked for and peft is not installed.

    >>> find_arms(["lora", "memory"])
    ('none', 'lora-gold', 'lora-self', 'memory')
    """
    asked = named(KIND, ["none", *names], {**{name: (name,) for name in ARMS}, "lora": LORA})
    found = [name for group in asked for name in group]
    if any(name.startswith("lora") for name in found):
        from .lora_learner import require_peft

        require_peft()
    return tuple(dict.fromkeys(found))


def open_arm(name: str, setting: StreamSetting) -> Learner:
    """Return an arm by name, as it is before the first stage."""
    match name:
        case "memory":
            from .memory_learner import MemoryLearner

            return MemoryLearner(setting)
        case "softcot":
            from .soft_learner import SoftLearner

            return SoftLearner(setting)
        case "lora-gold":
            from .lora_learner import LoraLearner

            return LoraLearner(setting)
        case "lora-self":
            from .lora_learner import SelfLoraLearner

            return SelfLoraLearner(setting)
        case _:
            return Learner(setting)


def run_stream(
    setting: StreamSetting, arms: Sequence[str], identity: dict[str, Any], told: Told | None = None
) -> dict[str, tuple[StageResult, ...]]:
    """Run (or go on with) a stream and return the results of every arm, stage by stage.

    Args:
        setting: The model, the stream, the folder.
        arms: From `find_arms`.
        identity: What must be equal for results to be comparable.
        told: Told of every decision.

    Returns:
        By arm: T + 1 results from stage 0 on. Before learning all arms are the LLM alone, and `none` is
        the same at every stage: its decisions are made once.

    Raises:
        UsageError: The folder holds a run with other settings.
        BadFile: A result in it is damaged.
        FingerprintChanged: The base model was not the same afterwards.
        StoreInUse: Another process runs in the folder.
    """
    folder = setting.folder
    before = setting.llm.identity().weights
    lock = claim(folder)
    try:
        identity_file(folder / IDENTITY, {**identity, LLM: before}, "a run of a stream")
        stages = len(setting.stream.families)
        each = sum(map(len, setting.stream.held))
        found = {}
        base: StageResult | None = None
        for name in arms:
            results = _run_arm(setting, name, stages if name != "none" else 0, each, base, told)
            base = base or results[0]
            found[name] = results if name != "none" else results * (stages + 1)
        check_fingerprint(before, setting.llm.identity(again=True).weights)
        return found
    finally:
        lock.release()


def _run_arm(
    setting: StreamSetting,
    name: str,
    stages: int,
    each: int,
    base: StageResult | None,
    told: Told | None,
) -> tuple[StageResult, ...]:
    kept = ResultFolder(setting.folder / RESULTS, StageResult, "that stage")
    results = [base] if base is not None else []
    arm: Learner | None = None
    try:
        for stage in range(len(results), stages + 1):
            result = kept.read(f"{name}-{stage}")
            if result is None:
                if arm is None:
                    arm = open_arm(name, setting)
                if arm.stage != stage - 1:
                    arm.load(max(stage - 1, 0))
                result = _one(arm, stage, max(stages, 1) * each, each, told)
                kept.write(f"{name}-{stage}", result)
            results.append(result)
            if told is not None:
                told(name, max(stage, 1) * each, max(stages, 1) * each)
    finally:
        if arm is not None:
            arm.close()
    return tuple(results)


def _one(arm: Learner, stage: int, of: int, each: int, told: Told | None) -> StageResult:
    """Learn one stage and be asked on all families."""
    learned = arm.learn(stage) if stage else None
    done = max(stage - 1, 0) * each

    def made(count: int) -> None:
        if told is not None:
            told(arm.name, done + count, of)

    clock = time.perf_counter()
    chosen, tokens = asyncio.run(_choices(arm, made))
    seconds = time.perf_counter() - clock
    return StageResult(
        arm=arm.name,
        stage=stage,
        chosen=chosen,
        learned=learned,
        drift=arm.drift(),
        weights=arm.weights,
        tokens=tokens,
        seconds=seconds,
    )


async def _choices(
    arm: Learner, made: Callable[[int], None]
) -> tuple[tuple[tuple[str, ...], ...], int]:
    client = arm.client()
    config = arm.policy()
    policy = Policy(config, open_voice(client, config), prior_of(client.name).mean)
    count, found = 0, []
    for items in arm.setting.stream.held:
        chosen = []
        for item in items:
            chosen.append(await _choice(arm, policy, item))
            count += 1
            made(count)
        found.append(tuple(chosen))
    return tuple(found), client.usage.tokens_in


async def _choice(arm: Learner, policy: Policy, item: GoldDecision) -> str:
    at = situation(
        item.seen,
        [action for action, _ in item.history],
        arm.hits(item),
        seed=arm.setting.seed,
        history=item.history,
    )
    decision = await policy.decide(at)
    return decision.action


def forget_stream(folder: Path) -> None:
    """Remove an earlier run with what its arms kept; see `begin_anew`."""
    made = (*ARMS, RESULTS, "states", IDENTITY, "report.json", "continual.png")
    begin_anew(folder, sign=IDENTITY, made=made, what="run of a stream")
