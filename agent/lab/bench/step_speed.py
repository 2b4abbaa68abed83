"""`lichen bench step`: Lichen's own time per step, in parts, beside LangGraph's prebuilt agent.

The model is scripted and instant on both sides, the environment's own time is taken out, the memory holds
10,000 real step cases, and the checkpointer writes to SQLite on both sides.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....envs.base import Environment
from ....envs.registry import make
from ....envs.types import Observation, Record, Split, Task, Transition
from ....memory.ledger.ledger import Entry
from ....memory.ledger.records import Hits, StepCase
from ....memory.likeness.embedder import HashingEmbedder
from ....memory.recall.case_memory import CaseMemory
from ....memory.store.demonstrations import from_gold, import_demonstrations
from ....memory.store.store import Store
from ...acting.policy import Policy, PolicyConfig, Weighted
from ...acting.priors import UNKNOWN
from ...episode.assistant import NoAssistant
from ...episode.graph import build
from ...episode.parts import EpisodeParts
from ...episode.run_episode import run_episode
from ...episode.stage import Stage
from ...llm.scripted_llm import ScriptedLLM
from ...talking.open_voice import open_voice
from ..kernel.timings import percentiles
from .machine import machine, version

BUDGET_MS = 15.0

Clocks = defaultdict[str, list[float]]


class BenchRow(Record):
    """One part, over all steps."""

    what: str
    n: int
    p50_ms: float
    p95_ms: float


class TimedEnvironment(Environment):
    """An environment whose own time is measured, so that it can be taken out."""

    name = "timed"

    def __init__(self, inner: Environment, clocks: Clocks) -> None:
        self._inner, self._clocks = inner, clocks
        self.max_steps = inner.max_steps

    def families(self) -> tuple[str, ...]:
        """As the environment inside."""
        return self._inner.families()

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """As the environment inside."""
        return self._inner.tasks(split, families)

    def task(self, task_id: str) -> Task:
        """As the environment inside."""
        return self._inner.task(task_id)

    def reset(self, task_id: str, *, seed: int = 0) -> Observation:
        """As the environment inside."""
        return self._inner.reset(task_id, seed=seed)

    def step(self, action: str) -> Transition:
        """As the environment inside, timed."""
        start = time.perf_counter()
        done = self._inner.step(action)
        self._clocks["environment"].append(time.perf_counter() - start)
        return done


class TimedMemory(CaseMemory):
    """A memory whose reads are timed."""

    clocks: Clocks

    def read(self, *args: Any, **options: Any) -> Hits:
        """As the memory, timed."""
        start = time.perf_counter()
        hits = super().read(*args, **options)
        self.clocks["retrieval"].append(time.perf_counter() - start)
        return hits


class TimedPolicy(Policy):
    """A policy whose decisions are timed."""

    clocks: Clocks

    async def weighted(self, *args: Any, **options: Any) -> Weighted:
        """As the policy, timed."""
        start = time.perf_counter()
        made = await super().weighted(*args, **options)
        self.clocks["policy"].append(time.perf_counter() - start)
        return made


def bench_step(
    *, cases: int = 10_000, steps: int = 200, seed: int = 0, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Measure and return the table.

    Args:
        cases: Step cases in memory.
        steps: Steps to measure on each side.
        seed: Of the decisions.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; `ratio` is the prebuilt agent's median
        over Lichen's (above 1: Lichen is faster), `holds` says whether Lichen's median is under 15 ms.
    """
    clocks: Clocks = defaultdict(list)
    environment = make("twx")
    environment.max_steps = 50
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(folder, embedder=HashingEmbedder()) as store,
    ):
        say(f"filling a memory with {cases} step cases")
        _fill(store, environment, cases)
        say("measuring Lichen")
        ours = asyncio.run(_ours(store, environment, clocks, steps, seed, Path(folder)))
        say("measuring LangGraph's prebuilt agent")
        theirs = asyncio.run(_prebuilt(environment, steps, Path(folder)))
    environment.close()
    rows = [_row("Lichen, whole step", ours)]
    rows += [_row(f"  {part}", clocks[part]) for part in ("retrieval", "policy", "ledger write")]
    spent = [
        sum(x)
        for x in zip(*(clocks[p] for p in ("retrieval", "policy", "ledger write")), strict=False)
    ]
    rest = [whole - parts for whole, parts in zip(ours, spent, strict=False)]
    rows.append(_row("  graph, checkpoints, the rest", rest))
    rows.append(_row("LangGraph prebuilt agent, whole step", theirs))
    median = float(np.median(ours))
    return {
        "bench": "step",
        "version": version(),
        "machine": machine(),
        "cases": len(store.steps),
        "rows": [row.model_dump() for row in rows],
        "ratio": float(np.median(theirs)) / median,
        "holds": median * 1000 < BUDGET_MS,
    }


def _fill(store: Store, environment: Environment, cases: int) -> None:
    number = 0
    while len(store.steps) < cases:
        ids = [
            f"twx/{game}/train/{number}" for game in ("mapreader", "cookingworld", "coin", "twc")
        ]
        import_demonstrations(store, from_gold(environment, ids), run="bench")
        number += 1
    _ = store.index(StepCase)  # built here, not in the first measured step


async def _ours(
    store: Store, environment: Environment, clocks: Clocks, steps: int, seed: int, folder: Path
) -> list[float]:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    timed = TimedEnvironment(environment, clocks)
    memory = TimedMemory(store)
    memory.clocks = clocks
    whole: list[float] = []

    def append(entries: list[Entry]) -> int:
        start = time.perf_counter()
        written = store.append(entries)
        if len(entries) > 1:  # the step's own write; the opening of an episode is another
            clocks["ledger write"].append(time.perf_counter() - start)
        return written

    async with AsyncSqliteSaver.from_conn_string(str(folder / "ours.sqlite")) as saver:
        graph = build(saver)
        number = 0
        while len(whole) < steps:
            policy = TimedPolicy(
                PolicyConfig(), open_voice(ScriptedLLM(), PolicyConfig()), UNKNOWN.mean
            )
            policy.clocks = clocks
            parts = EpisodeParts(
                stage=Stage(timed, f"twx/mapreader/dev/{number}", seed=seed),
                memory=memory,
                policy=policy,
                assistant=NoAssistant(),
                append=append,
            )
            mark = [0.0, 0.0]

            def passed(node: str, change: dict[str, Any], mark: list[float] = mark) -> None:
                now, environment_s = time.perf_counter(), sum(clocks["environment"])
                if node == "verify":
                    if mark[0]:
                        whole.append(now - mark[0] - (environment_s - mark[1]))
                    mark[:] = [now, environment_s]

            await run_episode(graph, parts, episode=f"bench-{number}", run="bench", on_event=passed)
            number += 1
            for part in (
                "retrieval",
                "policy",
                "ledger write",
            ):  # parts of the first step: unpaired
                del clocks[part][len(whole) :]
    return whole


async def _prebuilt(environment: Environment, steps: int, folder: Path) -> list[float]:
    """Run the same loop in `langchain.agents.create_agent`: model -> tool -> model, one action a round."""
    from langchain.agents import create_agent
    from langchain_core.language_models.chat_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    clock: list[float] = []
    inside = [0.0]
    seen = [environment.reset("twx/mapreader/dev/0")]
    number = [0]

    class InstantModel(BaseChatModel):
        """Calls the tool with the first admissible action not tried last; no time at all."""

        @property
        def _llm_type(self) -> str:
            return "instant"

        def bind_tools(self, tools: Any, **options: Any) -> Any:
            return self

        def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
            clock.append(time.perf_counter() - inside[0])
            actions = seen[0].admissible or ("look around",)
            call = {
                "name": "act",
                "args": {"action": actions[len(clock) % len(actions)]},
                "id": f"call-{len(clock)}",
            }
            done = len(clock) % 50 == 0
            answer = AIMessage(content="done") if done else AIMessage(content="", tool_calls=[call])
            return ChatResult(generations=[ChatGeneration(message=answer)])

    def act(action: str) -> str:
        """Take one action."""
        start = time.perf_counter()
        done = environment.step(action)
        seen[0] = done.observation
        if done.terminated or done.truncated:
            number[0] += 1
            seen[0] = environment.reset(f"twx/mapreader/dev/{number[0]}")
        inside[0] += time.perf_counter() - start
        return done.observation.text

    whole: list[float] = []
    async with AsyncSqliteSaver.from_conn_string(str(folder / "theirs.sqlite")) as saver:
        agent: Any = create_agent(InstantModel(), tools=[act], checkpointer=saver)
        episode = 0
        while len(whole) < steps:
            first = len(clock)
            await agent.ainvoke(
                {"messages": [{"role": "user", "content": seen[0].goal}]},
                {"configurable": {"thread_id": str(episode)}, "recursion_limit": 1000},
            )
            marks = clock[first:]
            whole.extend(b - a for a, b in zip(marks, marks[1:], strict=False))
            episode += 1
    return whole[:steps]


def _row(what: str, seconds: Sequence[float]) -> BenchRow:
    milli = np.asarray(seconds, np.float64) * 1000
    p50, p95 = percentiles(milli, digits=3)
    return BenchRow(what=what, n=len(milli), p50_ms=p50, p95_ms=p95)
