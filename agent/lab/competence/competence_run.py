"""Episodes of models of known competence: alone, inside Lichen, with memory; and memory alone."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ....envs.base import Environment
from ....envs.errors import EnvironmentFault, MissingData, UsageError
from ....envs.suite import Suite, load_suite
from ....envs.tools import rewritten
from ....envs.types import Record
from ....memory.ledger.content_id import content_id
from ....memory.recall.case_memory import CaseMemory
from ....memory.store.demonstrations import from_gold, import_demonstrations
from ...config import load_config
from ...episode.graph import Graph
from ...episode.parts import EpisodeParts
from ...episode.run_episode import run_episode
from ...episode.stage import Stage
from ...open_agent import OpenAgent
from ...weighing import learn_weights
from ..heldout.policy_arms import ARMS
from ..kernel.rows import RowFile
from .expert import Expert
from .simulated_llm import Answering, ScoringModel, TalkingModel, simulated

Arm = Literal["alone", "none", "knn", "memory"]
SUITES = ("alfworld-mini", "twx-mapreader", "textcraft", "bfcl", "alfworld")
LEVELS = (0.0, 0.3, 0.6, 0.9, 1.0)
BETWEEN: tuple[Answering, ...] = ("scores-10", "tool")
"""Ways of answering at competences below 1; a perfect model answers in every way."""


class CompetenceRow(Record):
    """One episode."""

    suite: str
    way: str
    """How the model answered; empty without a model."""
    competence: float
    """Of the model; 0 without one."""
    arm: Arm
    shown: int
    """Demonstrations in memory."""
    task_id: str
    success: float
    score: float
    steps: int

    @property
    def key(self) -> tuple[object, ...]:
        """What the row is about."""
        return self.suite, self.way, self.competence, self.arm, self.shown, self.task_id

    @property
    def played(self) -> tuple[object, ...]:
        """The model and the task, whatever is remembered."""
        return self.suite, self.way, self.competence, self.task_id


class KnownArm(NamedTuple):
    """One arm of one model on a suite."""

    way: str
    competence: float
    arm: Arm
    shown: int


class KnownAgent(OpenAgent):
    """An agent whose model is told which episode it is in."""

    experts: dict[str, Expert]
    """By task."""

    def __enter__(self) -> "KnownAgent":
        """Return it."""
        return self

    @classmethod
    def at_hand(
        cls, folder: Path, model: ScoringModel | TalkingModel, *, seed: int
    ) -> "KnownAgent":
        """Return an agent of a model, with a store in a folder."""
        made = cls(load_config(store=folder, embedder="hashing", seed=seed), llm=model)
        made.experts = {}
        return made

    def parts(self, environment: Environment, task_id: str, **options: Any) -> EpisodeParts:
        """Return the parts of an episode, the model told of it."""
        made = super().parts(environment, task_id, **options)
        if isinstance(self.llm, ScoringModel | TalkingModel):
            self.llm.at(made.stage, self.expert(environment, task_id))
        return made

    def expert(self, environment: Environment, task_id: str) -> Expert:
        """Return who knows a task."""
        if task_id not in self.experts:
            environment.reset(task_id)
            gold = environment.gold()
            if gold is None:
                raise UsageError(f"{task_id} has no gold trajectory: nobody knows it")
            calls = environment.action_mode == "tool_call"
            forms = []
            for action in gold if calls else ():
                forms.append(rewritten(action, environment.tools()))
                environment.step(action)
            self.experts[task_id] = Expert(forms or gold, calls=calls)
        return self.experts[task_id]


def cells(
    ways: Sequence[Answering], levels: Sequence[float], demonstrations: int
) -> Iterator[KnownArm]:
    """Yield what is to be run on a suite; an arm with an empty memory is the arm without one."""
    yield KnownArm("", 0.0, "knn", 0)
    yield KnownArm("", 0.0, "knn", demonstrations)
    for competence in levels:
        for way in ways if competence == 1.0 else [way for way in ways if way in BETWEEN] or ways:
            yield KnownArm(way, competence, "alone", 0)
            yield KnownArm(way, competence, "none", 0)
            yield KnownArm(way, competence, "memory", demonstrations)


def run_suite(
    suite: Suite,
    folder: Path,
    rows: RowFile[CompetenceRow],
    *,
    ways: Sequence[Answering],
    levels: Sequence[float],
    tasks: int,
    demonstrations: int,
    seed: int,
    say: Callable[[str], None],
) -> None:
    """Run what is left of a suite.

    Args:
        suite: Its train tasks are shown, its test tasks are played.
        folder: Of the store.
        rows: Where the results go, row by row.
        ways: Of answering.
        levels: Competences.
        tasks: Held-out tasks, fewer where the suite has fewer.
        demonstrations: In memory.
        seed: Of everything.
        say: Told of every cell.
    """
    with KnownAgent.at_hand(folder, simulated(ways[0], 1.0, seed=seed), seed=seed) as agent:
        environment = agent.environment(suite)
        held = suite.task_ids("test", None, seed, environment)[:tasks]
        learned = suite.task_ids("train", None, seed, environment)
        shown = from_gold(environment, learned[:demonstrations])
        import_demonstrations(agent.store, shown, run="competence")
        pool = [
            action
            for task in learned[:demonstrations]
            for action in agent.expert(environment, task).gold
        ]
        for cell in cells(ways, levels, demonstrations):
            agent.wait(_cell(agent, environment, suite, cell, held, rows, others=pool, seed=seed))
            say(
                f"{suite.name}: {cell.way or 'no model'} {cell.competence:g} {cell.arm}@{cell.shown}"
            )


async def _cell(
    agent: KnownAgent,
    environment: Environment,
    suite: Suite,
    cell: KnownArm,
    tasks: Sequence[str],
    rows: RowFile[CompetenceRow],
    *,
    others: Sequence[str],
    seed: int,
) -> None:
    key = (suite.name, cell.way, cell.competence, cell.arm, cell.shown)
    left = [task for task in tasks if (*key, task) not in rows.rows]
    if not left:
        return
    if cell.way:
        model = simulated(cell.way, cell.competence, seed=seed)  # type: ignore[arg-type]
        model.others, agent._llm = others, model
    asked = agent.llm.name if cell.way else ""
    memory = CaseMemory(agent.store, agent.config.retriever, first=cell.shown)
    if cell.shown:
        await learn_weights(agent, environment, memory, llm=asked, run="competence")
    async with agent.graph() as graph:
        for task in left:
            ended = (
                _alone(agent, environment, task, seed=seed)
                if cell.arm == "alone"
                else await _inside(agent, graph, environment, cell, task, memory, asked)
            )
            won, score, steps = ended
            rows.add(
                CompetenceRow(
                    suite=suite.name,
                    way=cell.way,
                    competence=cell.competence,
                    arm=cell.arm,
                    shown=cell.shown,
                    task_id=task,
                    success=float(won),
                    score=score,
                    steps=steps,
                )
            )


def _alone(
    agent: KnownAgent, environment: Environment, task_id: str, *, seed: int
) -> tuple[bool, float, int]:
    """Return how the model does by itself: every step is what it wants."""
    model = agent.llm
    assert isinstance(model, ScoringModel | TalkingModel)
    expert = agent.expert(environment, task_id)
    stage = Stage(environment, task_id, seed=seed)
    stage.sync([])
    model.at(stage, expert)
    best = stage.seen.score
    while not stage.ended:
        stage.play(model.wants())
        best = max(best, stage.seen.score)
    return stage.seen.won, best, len(stage.actions)


async def _inside(
    agent: KnownAgent,
    graph: Graph,
    environment: Environment,
    cell: KnownArm,
    task_id: str,
    memory: CaseMemory,
    asked: str,
) -> tuple[bool, float, int]:
    """Return how the model does inside Lichen."""
    parts = agent.parts(
        environment,
        task_id,
        memory=memory if cell.arm != "none" and cell.shown else None,
        policy=ARMS[cell.arm].policy(agent.config.policy),
        llm_name=asked,
    )
    name = content_id(*map(str, (*cell, task_id)))
    result = await run_episode(graph, parts, episode=f"competence-{name}", run="competence")
    if result.outcome == "unknown":
        raise EnvironmentFault(f"{task_id}: {result.reason or 'nobody said how it ended'}")
    return result.outcome == "success", result.score, result.steps


def suites_here(names: Sequence[str], say: Callable[[str], None]) -> list[Suite]:
    """Return the suites of these names whose data is here; the others are said."""
    found = []
    for name in names:
        suite = load_suite(name)
        try:
            suite.task_ids("test", 1)
        except MissingData as error:
            say(f"{name} is left out: {error}")
            continue
        found.append(suite)
    return found
