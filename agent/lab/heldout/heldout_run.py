"""The evaluation itself: learn, freeze memory at checkpoints, run every arm on the held-out tasks.

Task by task, all arms and checkpoints of one task together: what is done at any moment is paired. It can be
interrupted at any moment and goes on with the same call.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from ....envs.errors import EnvironmentFault, UsageError
from ....envs.suite import Suite
from ....envs.types import Record, Split
from ....memory.ledger.content_id import content_id
from ....memory.store.demonstrations import from_gold, import_demonstrations
from ...episode.run_episode import EpisodeResult
from ...learning import learn_stream
from ...open_agent import OpenAgent
from ...prompts.rendering import prompt_hash
from ...runs import Run
from ..kernel.cells import left, task_by_task
from ..kernel.reports import begin_anew
from ..kernel.rows import RowFile
from ..rivals.rule_training import trained_rules, with_rule
from .episode_row import EpisodeRow, Rows, made_by, made_with
from .heldout_report import Report, summarise
from .memories_of_arms import memories_of, weigh_memories
from .play_row import play_row
from .policy_arms import Arm
from .skills_of_arms import Skilled

Learn = Literal["demonstrations", "own"]

ROWS = "rows.jsonl"
ATTEMPTS = 3
"""How often learning episodes with an unknown outcome are tried in one call."""


class HeldOutPlan(Record):
    """What is to be evaluated."""

    suite: Suite
    arms: tuple[Arm, ...]
    checkpoints: tuple[int, ...]
    learn: Learn
    split: Split
    tasks: int | None
    """Held-out tasks; the suite's own number when None."""
    seed: int


class Watcher(Protocol):
    """Told how an evaluation goes on."""

    def learning(self, done: int, of: int, result: EpisodeResult | None) -> None:
        """Take the number of learned episodes."""

    def evaluating(self, done: int, of: int, row: EpisodeRow) -> None:
        """Take a new row."""


class Silent:
    """Watches nothing."""

    def learning(self, done: int, of: int, result: EpisodeResult | None) -> None:
        """Do nothing."""

    def evaluating(self, done: int, of: int, row: EpisodeRow) -> None:
        """Do nothing."""


def evaluate(
    agent: OpenAgent, plan: HeldOutPlan, folder: Path, watcher: Watcher | None = None
) -> Report:
    """Run (or go on with) an evaluation and return its report.

    Args:
        agent: Its store must be this evaluation's own: memory is learned into it.
        plan: Arms, checkpoints, tasks.
        folder: Where the rows go.
        watcher: Told of every episode.

    Raises:
        FingerprintChanged: The model was not the same afterwards.
        UsageError: The folder holds another evaluation, the split is the one that was learned, or an arm
            needs what is not there: a library, a model to spend a budget on.
    """
    if plan.split == "train":
        raise UsageError(
            "an evaluation on the train split would measure remembering, not learning",
            hint="Use --split dev or --split test.",
        )
    if agent.config.retriever.capacity is not None and len(set(plan.checkpoints)) > 1:
        raise UsageError(
            "a bounded memory cannot be looked at as it was at several checkpoints",
            hint="Ask for one checkpoint at a time, or leave retriever.capacity out.",
        )
    if not agent.config.policy.llm and any(arm.budget for arm in plan.arms):
        raise UsageError("the arm 'budget' spends the tokens of a model, and none is asked")
    watcher = watcher or Silent()
    return agent.wait(_evaluate(agent, plan, folder, watcher))


async def _evaluate(agent: OpenAgent, plan: HeldOutPlan, folder: Path, watcher: Watcher) -> Report:
    started = time.monotonic()
    asks = agent.config.policy.llm and any(arm.llm for arm in plan.arms)
    before = await agent.fingerprint(asks)
    identity = _identity(agent, plan)
    rows = RowFile(folder / ROWS, identity, EpisodeRow.model_validate_json)
    made_by(rows, before)
    name = content_id("eval", str(identity))
    run = content_id(name, before)
    agent.opened(run, agent.started("eval", plan.suite.name, before, identity))
    skills = Skilled(agent, run, plan.seed)
    library = skills.library(plan.arms)
    made_with(rows, library)
    await _learn(agent, plan, name, watcher)
    tasks = plan.suite.task_ids(plan.split, plan.tasks, plan.seed, agent.environment(plan.suite))
    wanted = [(arm, point) for arm in plan.arms for point in _points(arm, plan.checkpoints)]
    memories = memories_of(agent, plan.seed, wanted)
    cells = left(
        task_by_task(tasks, wanted),
        rows.rows,
        lambda what, task_id: (what[0].name, what[1], task_id),
    )
    environment = agent.environment(plan.suite)
    rules = await trained_rules(
        agent, plan.suite, [(arm.name, point) for arm, point in wanted if arm.rule], plan.seed
    )
    await weigh_memories(agent, environment, memories, llm=before, run=run)
    async with agent.graph() as graph:
        for cell in cells:
            (arm, point), task_id = cell.arm, cell.task
            same = rows.rows.get(("none", 0, task_id))
            votes = _votes(rows, task_id, max(plan.checkpoints)) if arm.budget else 1
            policy = arm.policy(agent.config.policy)
            alike = policy.llm and not arm.skilled and not arm.soft and votes == 1
            if point == 0 and alike and same is not None:
                # an empty memory is no memory: same prompts, same seeds, so it is not run again
                rows.add(same.model_copy(update={"arm": arm.name}))
                watcher.evaluating(cell.number, cell.of, rows.rows[arm.name, point, task_id])
                continue
            parts = agent.parts(
                agent.environment(plan.suite),
                task_id,
                memory=memories.get((arm.name, point)),
                seed=plan.seed,
                policy=policy.model_copy(update={"votes": votes}) if arm.budget else policy,
                llm_name=before,
                skills=skills.of(arm),
                hints=arm.soft,
            )
            if arm.rule:
                rule = rules[arm.name, point]
                parts = with_rule(agent, agent.environment(plan.suite), task_id, rule)
            episode = f"{name}-{arm.name}-{point}-{content_id(task_id)}"
            row = await play_row(agent, graph, parts, episode, run, (arm.name, point))
            row = row.model_copy(update={"library": library if arm.skilled else ""})
            if row.outcome != "unknown":  # an unknown is run again by the next call
                rows.add(row)
            watcher.evaluating(cell.number, cell.of, row)
    skills.close()
    after = await agent.closed(run, before, len(rows.rows))
    return summarise(
        plan_name=plan.suite.name,
        learn=plan.learn,
        split=plan.split,
        model=agent.config.model if asks else "no model",
        seed=plan.seed,
        arms=[arm.name for arm in plan.arms],
        checkpoints=plan.checkpoints,
        tasks=tasks,
        rows=list(rows.rows.values()),
        fingerprint=(before, after),
        seconds=time.monotonic() - started,
        measure=environment.measure,
    )


def _identity(agent: OpenAgent, plan: HeldOutPlan) -> dict[str, Any]:
    """Return what must be equal for rows to be comparable.

    Raises:
        UsageError: An arm has hints and none is on here.
    """
    identity: dict[str, Any] = {
        "suite": plan.suite.model_dump(mode="json", exclude={"description"}),
        "learn": plan.learn,
        "split": plan.split,
        "seed": plan.seed,
        "model": agent.config.model,
        "dtype": agent.config.dtype,
        "embedder": agent.config.embedder,
        "planner": agent.config.planner,
        "prompts": prompt_hash(),
        "policy": agent.config.policy.model_dump(mode="json"),
        "retriever": agent.config.retriever.model_dump(mode="json"),
    }
    if any(arm.soft for arm in plan.arms):
        record = agent.hints.record
        if record is None or not record.on:
            raise UsageError(
                "no hint is on here: the arm +soft would be the arm memory",
                hint="Name a projection whose gate is open: --set softcot.folder=.lichen/softcot/own.",
            )
        identity["hints"] = record.model_dump(mode="json")
    return identity


async def _learn(agent: OpenAgent, plan: HeldOutPlan, name: str, watcher: Watcher) -> None:
    """Have the plan's cases in memory: its demonstrations, or the first episodes of its own stream.

    The same cases in the same order however often it is interrupted, and whichever checkpoints came first.
    """
    most = max(plan.checkpoints)
    source = "demonstration" if plan.learn == "demonstrations" else "own"
    strange = next((c for c in agent.store.episodes.values() if c.source != source), None)
    if strange is not None:
        raise UsageError(
            f"{agent.store.folder} remembers {strange.task_id} from another source ({strange.source}) "
            f"than this evaluation learns from ({source})",
            hint="Give the evaluation its own folder with --store.",
        )
    if most == 0:
        return
    if plan.learn == "demonstrations":
        environment = agent.environment(plan.suite)
        ids = plan.suite.task_ids("train", most, plan.seed, environment)
        known = {case.task_id for case in agent.store.episodes.values()}
        for number, task_id in enumerate(ids, start=1):
            if task_id not in known and agent.store.ranks < most:
                import_demonstrations(agent.store, from_gold(environment, [task_id]), run="gold")
            watcher.learning(number, len(ids), None)
        agent.store.settle()
    elif agent.store.ranks < most:
        run = Run(content_id("eval-learn", name), 0)
        before = await agent.fingerprint(agent.config.policy.exploring().llm)
        agent.opened(run.id, agent.started("eval-learn", plan.suite.name, before, {}))
        for _ in range(ATTEMPTS):
            await learn_stream(agent, plan.suite, run, most, before, watcher.learning)
            if agent.store.ranks >= most:
                break
    if (held := agent.store.ranks) < most:
        raise EnvironmentFault(
            f"only {held} of {most} learning episodes have a known outcome",
            hint="`lichen doctor` says what is wrong; the same command goes on.",
        )


MOST_VOTES = 8


def _votes(rows: Rows, task_id: str, point: int) -> int:
    """Return how often a task's decisions can be asked for the tokens that memory spent on it."""
    spent = []
    for key in (("memory", point, task_id), ("none", 0, task_id)):
        row = rows.rows.get(key)
        spent.append(row.tokens_in + row.tokens_out if row is not None else 0)
    return max(1, min(MOST_VOTES, round(spent[0] / spent[1]))) if spent[1] else 1


def _points(arm: Arm, checkpoints: Sequence[int]) -> Sequence[int]:
    """Return the checkpoints at which an arm is run: of one that learns nothing there is only one."""
    return checkpoints if arm.grows else (0,)


def forget_evaluation(folder: Path) -> None:
    """Remove an earlier evaluation with its memory; see `begin_anew`."""
    made = (ROWS, "report.json", "report.html", "curve.png")
    stored = ("ledger.sqlite*", "checkpoints.*", "index", "index.broken-*", "owner")
    begin_anew(folder, sign=ROWS, made=(*made, *stored), what="evaluation")
