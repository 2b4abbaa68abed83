"""The run of a stream: every arm learns stage after stage, and after each is asked on all families.

What is finished is a file of its own in the folder, written whole, so the same call goes on after an
interruption and comes to the same numbers.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ....envs.errors import BadFile, UnknownName, UsageError
from ....envs.types import Record
from ....memory.ledger.lock import claim
from ...acting.policy import Policy, situation
from ...llm.errors import FingerprintChanged, check_fingerprint
from ...softcot.checkpoint import whole
from .learners import Arm, Drift, Learned, Setting
from .stream import Item

IDENTITY, RESULTS = "continual.json", "results"
ARMS = ("none", "memory", "softcot", "lora-gold", "lora-self")
"""All arms; `lora` means the last two."""
Told = Callable[[str, int, int], None]
"""Told of an arm, how many decisions of its run are made, and of how many."""


class StageResult(Record):
    """One arm after one stage; stage 0 is before learning."""

    arm: str
    stage: int
    chosen: tuple[tuple[str, ...], ...]
    """The action taken in every held-out decision, by family."""
    learned: Learned | None
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
    found = ["none"]
    for name in names:
        if name not in (*ARMS, "lora"):
            raise UnknownName("arm of --protocol continual", name, (*ARMS, "lora"))
        found += ["lora-gold", "lora-self"] if name == "lora" else [name]
    if any(name.startswith("lora") for name in found):
        from .lora import require_peft

        require_peft()
    return tuple(dict.fromkeys(found))


def open_arm(name: str, setting: Setting) -> Arm:
    """Return an arm by name, as it is before the first stage."""
    match name:
        case "memory":
            from .memory_learner import MemoryArm

            return MemoryArm(setting)
        case "softcot":
            from .soft_learner import SoftArm

            return SoftArm(setting)
        case "lora-gold":
            from .lora import LoraArm

            return LoraArm(setting)
        case "lora-self":
            from .lora import SelfLoraArm

            return SelfLoraArm(setting)
        case _:
            return Arm(setting)


def run_stream(
    setting: Setting, arms: Sequence[str], identity: dict[str, Any], told: Told | None = None
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
        _own_folder(folder, {**identity, "llm": before})
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
    setting: Setting,
    name: str,
    stages: int,
    each: int,
    base: StageResult | None,
    told: Told | None,
) -> tuple[StageResult, ...]:
    results = [base] if base is not None else []
    arm: Arm | None = None
    try:
        for stage in range(len(results), stages + 1):
            result = _read(setting.folder, name, stage)
            if result is None:
                if arm is None:
                    arm = open_arm(name, setting)
                if arm.stage != stage - 1:
                    arm.load(max(stage - 1, 0))
                result = _one(arm, stage, max(stages, 1) * each, each, told)
                _write(setting.folder, result)
            results.append(result)
            if told is not None:
                told(name, max(stage, 1) * each, max(stages, 1) * each)
    finally:
        if arm is not None:
            arm.close()
    return tuple(results)


def _one(arm: Arm, stage: int, of: int, each: int, told: Told | None) -> StageResult:
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
    arm: Arm, made: Callable[[int], None]
) -> tuple[tuple[tuple[str, ...], ...], int]:
    client = arm.client()
    policy = Policy(arm.policy(), client)
    count, found = 0, []
    for items in arm.setting.stream.held:
        chosen = []
        for item in items:
            chosen.append(await _choice(arm, policy, item))
            count += 1
            made(count)
        found.append(tuple(chosen))
    return tuple(found), client.usage.tokens_in


async def _choice(arm: Arm, policy: Policy, item: Item) -> str:
    at = situation(
        item.seen,
        [action for action, _ in item.history],
        arm.hits(item),
        seed=arm.setting.seed,
        history=item.history,
    )
    decision = await policy.decide(at)
    return decision.action


def _own_folder(folder: Path, identity: dict[str, Any]) -> None:
    """Say in the folder which run it holds, or see that it holds this one."""
    path, text = folder / IDENTITY, json.dumps(identity, sort_keys=True, indent=1) + "\n"
    if not path.exists():
        (folder / RESULTS).mkdir(parents=True, exist_ok=True)
        whole(path, lambda p: p.write_text(text, encoding="utf-8"))
        return
    held = path.read_text(encoding="utf-8")
    if held == text:
        return
    try:
        known = json.loads(held)
    except json.JSONDecodeError as error:
        raise BadFile(f"{path} is damaged", hint="Begin anew in another --store.") from error
    hint = "Use `--fresh` to begin it anew, or another `--store`."
    if {**known, "llm": ""} == {**json.loads(text), "llm": ""}:
        raise FingerprintChanged(f"{folder} was begun with another model", hint=hint)
    raise UsageError(f"{folder} holds a run of a stream with other settings", hint=hint)


def _path(folder: Path, arm: str, stage: int) -> Path:
    return folder / RESULTS / f"{arm}-{stage}.json"


def _read(folder: Path, arm: str, stage: int) -> StageResult | None:
    path = _path(folder, arm, stage)
    if not path.exists():
        return None
    try:
        return StageResult.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} is damaged", hint="Remove it: that stage is run again.") from error


def _write(folder: Path, result: StageResult) -> None:
    text = result.model_dump_json(indent=1) + "\n"
    path = _path(folder, result.arm, result.stage)
    whole(path, lambda p: p.write_text(text, encoding="utf-8"))
